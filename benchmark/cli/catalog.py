"""``bench studies``, ``bench samplers``, ``bench protocols``: what there is."""

import inspect

import click
import yaml

from benchmark.cli.terminal import out, plain_table
from benchmark.protocols import PROTOCOLS, protocol
from benchmark.study import StudyFile, study_names, study_text
from mhpe.validation import parse
from samplers.registry import Registry


@click.command("studies")
@click.argument("name", required=False)
def studies_verb(name: str | None) -> None:
    """List the studies, or print one's file."""
    if name is not None:
        click.echo(study_text(name)[2], nl=False)
        return
    table = plain_table("study", "question", "samplers")
    for study in study_names():
        file = parse(StudyFile, yaml.safe_load(study_text(study)[2]), study)
        table.add_row(study, file.question, ", ".join(dict.fromkeys(arm["sampler"] for arm in file.arms)))
    out.print(table)


@click.command("samplers")
@click.argument("name", required=False)
def samplers_verb(name: str | None) -> None:
    """List the samplers, or describe one with its parameters."""
    registry = Registry()
    if name is not None:
        click.echo(f"{name}\n\n{inspect.getdoc(registry.find(name, 'bench samplers'))}")
        return
    table = plain_table("sampler", "what it draws", "parameters")
    for key, cls in sorted(registry.classes.items()):
        parameters = ", ".join(f"{field}={info.default}" for field, info in cls.model_fields.items())
        table.add_row(key, (inspect.getdoc(cls) or "").partition("\n")[0], parameters)
    out.print(table)
    for module, reason in registry.broken.items():
        click.echo(f"bench: {module} failed to import: {reason}", err=True)


@click.command("protocols")
@click.argument("name", required=False)
def protocols_verb(name: str | None) -> None:
    """List the protocols, or one of them."""
    table = plain_table("protocol", "trained on", "tested on", "in the slides")
    for p in [protocol(name)] if name else PROTOCOLS.values():
        table.add_row(p.name, p.train, p.test, p.published or "")
    out.print(table)
