"""``bench studies``: list the studies, or print one's file."""

import click

from benchmark.cli.options import wide_option
from benchmark.cli.terminal import plain_table, print_table, say
from benchmark.study.study_file import read_study, study_names, study_text


@click.command("studies")
@click.argument("name", required=False)
@wide_option
def studies_verb(name: str | None, wide: bool) -> None:
    """List the studies, or print one's file.

    \b
    bench studies
    bench studies gaussian_sigma
    """
    if name is not None:
        say(study_text(name)[2].removesuffix("\n"))
        return
    more = ("samplers", "protocols", "baseline") if wide else ()
    table = plain_table("study", "question", *more)
    for study in study_names():
        file = read_study(study)[2]
        samplers = ", ".join(dict.fromkeys(arm["sampler"] for arm in file.arms))
        table.add_row(study, file.question, *((samplers, ", ".join(file.protocols), file.baseline) if wide else ()))
    print_table(table, wide)
