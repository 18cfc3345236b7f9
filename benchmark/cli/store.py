"""``bench store``: work on results stores."""

import click

from benchmark.cli.terminal import say
from benchmark.study.names import counted


@click.group("store")
def store_group() -> None:
    """Merge results stores.

    \b
    bench store copy laptop.sqlite postgresql://user@host/results
    """


@store_group.command("copy")
@click.argument("source")
@click.argument("target")
@click.option("--study", "studies", multiple=True, metavar="NAME", help="Only this study; repeatable.")
@click.option(
    "--no-weights",
    is_flag=True,
    help="Without the trained weights, nearly all of a store's size; a later copy adds them.",
)
def copy_verb(source: str, target: str, studies: tuple[str, ...], no_weights: bool) -> None:
    """Merge the store SOURCE into the store TARGET, which is made if it does not exist.

    Both are paths of SQLite files or SQLAlchemy URLs. Trials are the same if they were trained the same way; those that
    are done in TARGET stay as they are. A search that TARGET has stays as it is, too: SOURCE's further points are not
    added. SOURCE is not changed. An interrupted copy goes on when it is repeated.

    \b
    bench store copy their_results.sqlite sqlite:///results/bench.sqlite
    bench store copy results/bench.sqlite to_send.sqlite --study conclusion --no-weights
    """
    from benchmark.search.storage import copy_searches
    from benchmark.store import Store
    from benchmark.store.copy import copy_store
    from benchmark.store.errors import StoreError

    merged = Store(source, read_only=True)
    if unknown := set(studies) - set(merged.studies()):  # before the target is made
        raise merged.no_study(min(unknown))
    into = Store(target)
    try:
        added, kept = copy_store(merged, into, studies, weights=not no_weights)
        new_searches, kept_searches = copy_searches(merged, into, studies)
    except StoreError as error:
        raise StoreError(f"{error}; {into.shown} has only what was copied before") from None
    say(f"{counted(added, 'trial')} added to {into.shown}, {kept:,} kept as stored there")
    if new_searches or kept_searches:
        say(f"searches: {new_searches} added, {kept_searches} kept as stored there")
