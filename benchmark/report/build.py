"""Rebuilds the whole report from the store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from benchmark.report.figures import mae_against_parameter
from benchmark.report.style import save
from benchmark.report.tables import printable, study_table, write_tables
from benchmark.store import Store
from mhpe.errors import InputError
from mhpe.validation import nearest


def build_report(store: Store, names: Sequence[str], folder: Path) -> list[dict[str, Any]]:
    """Write tables, figures and ``index.html``.

    Args:
        store: the results.
        names: studies to report; all planned ones if empty.
        folder: where to write; what is there under the same names is replaced.

    Returns:
        What the page shows of each study: name, definition, table and figures.

    Raises:
        InputError: if the store has no such study, no study at all, or ``folder`` cannot be written.
    """
    definitions = store.studies()
    if not definitions:
        raise InputError(f"store {store.shown} holds no study yet; bench run --study gaussian_sigma would add one")
    for name in names:
        if name not in definitions:
            raise InputError(f"store {store.shown} holds no study {name!r}; {nearest(name, list(definitions))}")
    try:
        studies = [_study(store, name, definitions[name], folder) for name in names or definitions]
        templates = Environment(
            loader=PackageLoader("benchmark.report"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        page = templates.get_template("index.html").render(studies=studies, store=store.shown)
        (folder / "index.html").write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write the report: {error}") from None
    return studies


def _study(store: Store, name: str, definition: dict[str, Any], folder: Path) -> dict[str, Any]:
    results = store.results(name)
    table = study_table(results)
    write_tables(table, name, definition["title"], folder / "tables")
    figures = []
    for preset in dict.fromkeys(table["preset"]):
        figure = mae_against_parameter(
            results[results["preset"] == preset],
            table[table["preset"] == preset],
            definition["baseline"],
            definition["title"],
        )
        if figure is not None:
            save(figure, f"{name}-mae-{preset}", folder / "figures")
            figures.append(f"figures/{name}-mae-{preset}.svg")
    return {"name": name, **definition, "table": printable(table), "figures": figures}
