"""``bench report``: rebuild tables, figures and the page from the store."""

from pathlib import Path

import click
from rich.markup import escape

from benchmark.cli.options import store_option
from benchmark.cli.terminal import out, plain_table
from benchmark.report import StudyReport, build_report
from benchmark.report.labels import protocol_title, synthetic_note
from benchmark.report.search import fresh_text
from benchmark.report.summary import groups_of
from benchmark.report.views import TERMINAL_VIEW, as_text
from benchmark.store import Store


@click.command("report")
@click.option("--study", "names", multiple=True, metavar="NAME", help="Only these studies; repeatable.")
@store_option
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("results/report"),
    show_default=True,
    metavar="DIR",
    help="Where to write.",
)
def report_verb(names: tuple[str, ...], store: str, folder: Path) -> None:
    """Rebuild tables, figures and the page from the store.

    \b
    bench report --study gaussian_sigma
    """
    for study in build_report(Store(store), names, folder):
        _print(study)
    click.echo(f"written: {folder / 'index.html'}")


def _print(study: StudyReport) -> None:
    for preset, protocol, rows in groups_of(study.table):
        shown = as_text(rows, TERMINAL_VIEW)
        where = ", ".join(filter(None, (protocol_title(protocol), synthetic_note(protocol), f"preset {preset}")))
        title = f"{study.title}: {where} (degrees, mean over seeds ± half-width of its 95 % interval)"
        table = plain_table(*shown.columns, title=escape(title), numbers_from=1)
        for row in shown.itertuples(index=False, name=None):
            table.add_row(*map(escape, row))
        out.print(table)
        if caveat := study.caveats.get(protocol):
            out.print(caveat, markup=False)
        out.print()
    for search, _ in study.searches:
        shown = fresh_text(search.best, study.baseline)
        table = plain_table(*shown.columns, title=escape(f"Search: {search.title}; in degrees"), numbers_from=1)
        for row in shown.itertuples(index=False, name=None):
            table.add_row(*map(escape, row))
        out.print(search.summary, markup=False)
        out.print(table)
        out.print()
    out.print(study.verdict, markup=False)
    if study.missing_cells:
        out.print(f"Incomplete: {study.missing_cells:,} of {len(study.cells):,} cells of the grid lack a result.")
    out.print()
