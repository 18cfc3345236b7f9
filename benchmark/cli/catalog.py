"""``bench studies`` and ``bench protocols``: what there is."""

import click

from benchmark.cli.terminal import plain_table, print_table
from benchmark.study.protocols import PROTOCOLS, VALIDATION, protocol
from benchmark.study.study import StudyFile, study_names, study_text
from benchmark.study.yaml_file import read_yaml
from mhpe.validation import parse


@click.command("studies")
@click.argument("name", required=False)
def studies_verb(name: str | None) -> None:
    """List the studies, or print one's file.

    \b
    bench studies
    bench studies gaussian_sigma
    """
    if name is not None:
        click.echo(study_text(name)[2], nl=False)
        return
    table = plain_table("study", "question", "samplers")
    for study in study_names():
        file = parse(StudyFile, read_yaml(study_text(study)[2], study), study)
        table.add_row(study, file.question, ", ".join(dict.fromkeys(arm["sampler"] for arm in file.arms)))
    print_table(table)


@click.command("protocols")
@click.argument("name", required=False)
def protocols_verb(name: str | None) -> None:
    """List the protocols, or one of them.

    \b
    bench protocols
    """
    table = plain_table("protocol", "trained on", "tested on", "in the slides")
    for p in [protocol(name)] if name else (*PROTOCOLS.values(), *VALIDATION.values()):
        table.add_row(p.name, p.train, p.test, p.published or "")
    print_table(table)
