"""``bench check-sampler``: the contract, for a sampler's author."""

import re
from pathlib import Path

import click
from rich.text import Text

from benchmark.cli.options import parameters, sampler_files_option, set_option
from benchmark.cli.terminal import out, printable
from benchmark.study.names import counted

FIGURE = re.compile(r"(?<!line )(?<!\d)\d+")  # of a remark: other sizes are no other reason, other lines are


@click.command("check-sampler")
@click.argument("name_or_file")
@set_option
@sampler_files_option
def check_verb(name_or_file: str, settings: tuple[str, ...], sampler_files: tuple[Path, ...]) -> int:
    """Check a sampler, or all of a .py file, against the contract.

    Exit status 0: it keeps the contract; 1: it does not; 2: the call or the file is wrong.

    \b
    bench check-sampler my_sampler.py
    bench check-sampler gaussian --set sigma=45
    """
    from samplers.contract import check_sampler
    from samplers.support.registry import Registry

    file = Path(name_or_file)
    if file.suffix == ".py":
        registry = Registry((file, *sampler_files))
        names = [name for name, path in registry.files.items() if path.resolve() == file.resolve()]
    else:
        registry = Registry(sampler_files)
        names = [registry.find(name_or_file).name]
    samplers = [registry.build(name, parameters(settings), name) for name in names]
    broken = False
    for sampler in samplers:
        out.print(Text(sampler.name, "bold"))
        by_reason: dict[str, list[str]] = {}  # rules that were broken for it
        for verdict in check_sampler(sampler):
            if not verdict.kept:
                broken = True
                rules = by_reason.setdefault(FIGURE.sub("", verdict.remark), [])
                rules.append(verdict.rule)
                if len(rules) > 1:
                    continue
            mark = ("pass", "green") if verdict.kept else ("FAIL", "red")
            remark = f": {printable(verdict.remark)}" if verdict.remark else ""
            out.print(Text.assemble("  ", mark, "  ", verdict.rule, remark), soft_wrap=True)
            if not verdict.ended:
                out.print("        no other check is run, as it runs still")
        for first, *others in by_reason.values():
            if others:
                text = f"  {counted(len(others), 'other check')} for the same reason as: {first}"
                out.print(Text.assemble("  ", ("FAIL", "red"), text), soft_wrap=True)
    return 1 if broken else 0
