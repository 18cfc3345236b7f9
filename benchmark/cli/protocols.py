"""``bench protocols``: list the protocols, or one of them."""

import click

from benchmark.cli.terminal import plain_table, print_table
from benchmark.study.protocols import PROTOCOLS, VALIDATION, protocol


@click.command("protocols")
@click.argument("name", required=False)
def protocols_verb(name: str | None) -> None:
    """List the protocols, or one of them.

    \b
    bench protocols
    """
    table = plain_table("protocol", "training set to test set")
    for p in [protocol(name)] if name is not None else (*PROTOCOLS.values(), *VALIDATION.values()):
        table.add_row(p.name, f"{p.title} ({p.published} of the slides)" if p.published else p.title)
    print_table(table)
