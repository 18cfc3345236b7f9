"""``bench check-sampler``: the contract, for a sampler's author."""

from pathlib import Path

import click
from rich.text import Text

from benchmark.cli.options import parameters, sampler_files_option, set_option
from benchmark.cli.terminal import out, printable


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
    is_file = file.suffix == ".py"
    registry = Registry((file, *sampler_files) if is_file else sampler_files)
    names = [name_or_file]
    if is_file:
        defined = {name: path for name in registry.classes if (path := registry.file_of(name))}
        names = [name for name, path in defined.items() if path.resolve() == file.resolve()]
    for name in names:
        registry.find(name)
    samplers = [registry.build(name, parameters(settings), name) for name in names]
    broken = 0
    for sampler in samplers:
        out.print(Text(sampler.name, "bold"))
        for verdict in check_sampler(sampler):
            broken += not verdict.kept
            mark = ("pass", "green") if verdict.kept else ("FAIL", "red")
            remark = f": {printable(verdict.remark)}" if verdict.remark else ""
            out.print(Text.assemble("  ", mark, "  ", verdict.rule, remark), soft_wrap=True)
            if not verdict.ended:
                out.print("        no other check is run, as it runs still")
    return 1 if broken else 0
