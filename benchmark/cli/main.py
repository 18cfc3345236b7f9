"""The ``bench`` command and its verbs."""

import sys

import click

from benchmark.cli.catalog import protocols_verb, samplers_verb, studies_verb
from benchmark.cli.data import data_group
from benchmark.cli.report import report_verb
from benchmark.cli.run import run_verb
from mhpe.errors import InputError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="mhpe-bench", prog_name="bench")
def bench() -> None:
    """Compare ways to choose reference images for metric head pose estimation.

    \b
    bench run --study gaussian_sigma     train and evaluate what is missing, store it
    bench report                         rebuild tables and figures from the store
    """


for verb in (run_verb, report_verb, studies_verb, samplers_verb, protocols_verb, data_group):
    bench.add_command(verb)


def main() -> None:
    """Run the command line.

    Exit status 0: all there; 1: some trial failed; 2: the call or a file is wrong; 130: interrupted.
    """
    try:
        status = bench.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "bench"
        _fail(f"{error.format_message().rstrip('.')}; see {command} --help")
    except click.ClickException as error:
        _fail(error.format_message())
    except InputError as error:
        _fail(str(error))
    except (click.Abort, KeyboardInterrupt):
        click.echo("bench: interrupted; what is finished is stored, the same command goes on from there", err=True)
        sys.exit(130)


def _fail(message: str) -> None:
    click.echo(f"bench: {' '.join(message.split())}", err=True)
    sys.exit(2)
