"""``bench store``: move results from one store to another."""

from pathlib import Path

import click

from benchmark.cli.options import existing_store, store_option
from benchmark.exchange.exporting import export_store
from benchmark.exchange.folder import check_manifest
from benchmark.exchange.importing import import_store
from benchmark.store import Store

folder_argument = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))


@click.group("store")
def store_group() -> None:
    """Export results to a folder, or merge such a folder into a store.

    \b
    bench store export my_results
    bench store import my_results --store postgresql://user@host/results
    """


@store_group.command("export")
@folder_argument
@store_option
def export_verb(folder: Path, store: str) -> None:
    """Write a store's content to a new folder.

    Studies and trials become CSV, .npy and .safetensors files.

    \b
    bench store export my_results
    """
    count = export_store(existing_store(store), folder)
    click.echo(f"{count} trials written to {folder}")


@store_group.command("import")
@folder_argument
@store_option
def import_verb(folder: Path, store: str) -> None:
    """Merge an exported folder into a store.

    Trials that are done there stay as they are.

    \b
    bench store import their_results --store sqlite:///results/all.sqlite
    """
    check_manifest(folder)
    results = Store(store)
    merged = import_store(results, folder)
    click.echo(f"{merged.added} trials added to {results.shown}, {merged.kept} kept as they are there")
