"""``bench report``: rebuild tables, figures and the page from the store."""

from pathlib import Path

import click

from benchmark.cli.options import store_option
from benchmark.cli.terminal import out, plain_table
from benchmark.report import build_report
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
        for (protocol, preset), rows in study["table"].groupby(["Protocol", "Preset"], sort=False):
            shown = rows.drop(columns=["Protocol", "Preset", "Left", "Down", "Front"])
            title = (
                f"{study['title']}: {protocol}, preset {preset} (degrees, mean over seeds ± half of its 95 % interval)"
            )
            table = plain_table(*shown.columns, title=title, numbers_from=1)
            for row in shown.itertuples(index=False, name=None):
                table.add_row(*row)
            out.print(table)
            out.print()
    click.echo(f"written: {folder / 'index.html'}")
