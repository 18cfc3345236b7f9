"""``bench report``: rebuild tables, figures and the page from the store."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from benchmark.cli.options import out_option, store_option, wide_option
from benchmark.cli.terminal import needed_width, out, plain_table, print_table, say

if TYPE_CHECKING:
    import pandas as pd

    from benchmark.report.study_report import StudyReport


@click.command("report")
@click.option(
    "--study", "names", multiple=True, metavar="NAME", help="Only these studies, by name or file; repeatable."
)
@store_option
@out_option("results/report", "Where to write.")
@click.option("--png", is_flag=True, help="Write figures as PNG, too.")
@wide_option
def report_verb(names: tuple[str, ...], store: str, folder: Path, png: bool, wide: bool) -> None:
    """Rebuild tables, figures and the page from the store.

    \b
    bench report --study gaussian_sigma
    """
    from benchmark.report.build import build_report
    from benchmark.store import Store
    from benchmark.study.study_file import study_name

    opened = Store(store, read_only=True)
    studies = build_report(opened, [study_name(name) for name in names], folder, png)
    for study in studies:
        _print(study, wide)
    stored = len(opened.studies())
    left_out = f" ({len(studies)} of {stored} studies in the store; all without --study)"
    say(f"written: {folder / 'index.html'}{left_out if names and len(studies) < stored else ''}")


def _print(study: "StudyReport", wide: bool) -> None:
    from benchmark.report.text import protocol_title, synthetic_note
    from benchmark.report.views import TERMINAL_VIEW, WIDE_VIEW, shown
    from benchmark.statistics import groups_of

    groups = list(groups_of(study.table))
    text = shown(study.text, WIDE_VIEW if wide else TERMINAL_VIEW)
    parts = [text.loc[rows.index] for _, _, rows in groups]
    for (preset, protocol, _), part in zip(groups, parts if wide else _fitting(parts), strict=True):
        where = ", ".join(filter(None, (protocol_title(protocol), synthetic_note(protocol), f"preset {preset}")))
        title = f"{study.title}: {where} (degrees, mean over seeds ± half-width of its 95 % interval)"
        print_table(_table(part, title), wide)
        if caveat := study.caveats.get(protocol):
            out.print(caveat, markup=False)
        out.print()
    for search in study.searches:
        out.print(search.summary, markup=False)
        print_table(_table(search.text.cells, f"{study.title}: search {search.title} (degrees)"), wide)
        out.print()
    out.print(study.verdict, markup=False)
    if study.missing_cells:
        out.print(f"Incomplete: {study.missing_cells:,} of {len(study.cells):,} cells of the grid have no result.")
    out.print()


def _table(shown: "pd.DataFrame", title: str | None = None) -> Table:
    table = plain_table(*shown.columns, title=title, numbers_from=1)
    for column in table.columns:
        column.no_wrap = column.no_wrap and column.header != "Verdict"  # of words
    for row in shown.itertuples(index=False, name=None):
        table.add_row(*row)
    return table


def _fitting(parts: "list[pd.DataFrame]") -> "list[pd.DataFrame]":
    """Tables of a study, all with the same columns: without the three angles, and parameters, where one is too wide."""
    from benchmark.report.views import EULER, PARAMETERS

    for left_out in ([], EULER, [*EULER, *PARAMETERS]):
        shown = [part.drop(columns=left_out, errors="ignore") for part in parts]
        if all(needed_width(_table(part)) <= out.width for part in shown):
            break
    return shown
