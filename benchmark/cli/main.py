"""The ``bench`` command and its verbs."""

import atexit
import gc
import io
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import click

from mhpe.errors import InputError

VERBS = {
    "run": ("benchmark.cli.run:run_verb", "Train and evaluate what is missing of a study, and store it."),
    "plan": ("benchmark.cli.plan:plan_verb", "Say what a study costs, and how many seeds it needs."),
    "report": ("benchmark.cli.report:report_verb", "Rebuild tables, figures and the page from the store."),
    "studies": ("benchmark.cli.studies:studies_verb", "List the studies, or print one's file."),
    "samplers": ("benchmark.cli.samplers:samplers_verb", "List the samplers, or show what one draws."),
    "check-sampler": ("benchmark.cli.check_sampler:check_verb", "Check a sampler against the contract."),
    "protocols": ("benchmark.cli.protocols:protocols_verb", "List the protocols, or one of them."),
    "store": ("benchmark.cli.store:store_group", "Merge one results store into another."),
    "predict": ("benchmark.cli.predict:predict_verb", "Predict the head pose in photographs."),
    "export": ("benchmark.cli.export:export_verb", "Write a trained network to a file, ONNX included."),
    "data": ("benchmark.cli.data:data_group", "Prepare data sets and say what is there."),
}
"""Where each verb is, and what it does."""
TRACEBACK = "BENCH_TRACEBACK"  # environment variable that asks for the traceback of an unexpected error
LONGEST_MESSAGE = 1000
INTERRUPTED = "interrupted; finished trials and data sets are kept"

_NO_WORDS: type[click.UsageError] | tuple[()] = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""A group called without a verb, whose message is its help; click before 8.2 shows that itself."""


class _Verbs(click.Group):
    """Imports a verb when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS and ctx.resilient_parsing:  # of a shell that completes words
            return None
        if cmd_name not in VERBS:
            from mhpe.validation import nearest  # with pydantic, which the help needs none of

            raise click.UsageError(f"no command {cmd_name!r}; {nearest(cmd_name, list(VERBS))}", ctx)
        module, name = VERBS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in VERBS.items()])


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="mhpe-bench", prog_name="bench")
def bench() -> None:
    """Compare ways to choose reference images for metric head pose estimation.

    \b
    bench run --study gaussian_sigma     train and evaluate what is missing, store it
    bench report                         rebuild tables and figures from the store
    """


def main() -> None:
    """Run the command line.

    Exit status 0: all there; 1: some trial failed; 2: the call or a file is wrong; 70: a fault of the program;
    130: interrupted.
    """
    os.environ["MPLBACKEND"] = "agg"  # whatever a notebook set: figures are files
    gc.set_threshold(10_000)  # imports make many objects that stay: with 700 their search for garbage takes 0.3 s
    atexit.register(gc.freeze)  # the last search, when the process ends, takes 0.7 s
    _prepare_streams()
    try:
        _check_installation()
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # batch systems send it: it does what Ctrl-C does
        status = bench.main(standalone_mode=False)
        sys.stdout.flush()
        sys.exit(status if isinstance(status, int) else 0)
    except _NO_WORDS as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "bench"
        _fail(f"{error.format_message().rstrip('.')}; see {command} --help")
    except (click.ClickException, InputError) as error:
        _fail(str(error))
    except (click.Abort, KeyboardInterrupt):
        click.echo(f"bench: {INTERRUPTED}", err=True)
        sys.exit(130)
    except BrokenPipeError:  # whoever read the output has enough of it
        _drop_output()
        sys.exit(141)
    except Exception as error:  # the last resort: nothing else should come here
        if os.environ.get(TRACEBACK):
            raise
        if isinstance(error, OSError) and error.strerror:  # the environment's fault: a full disk, a name too long
            _drop_output()
            _fail(f"{error.filename or 'cannot write the output'}: {error.strerror}")
        text = f"{type(error).__name__}: {error}"
        _fail(f"unexpected error: {text}", f"; set {TRACEBACK}=1 for the traceback; please report it", status=70)


def _fail(message: str, advice: str = "", status: int = 2) -> None:
    """End with one line; a message too long to read is cut, the advice is not."""
    from benchmark.cli.terminal import warn

    line = " ".join(message.split())
    line = line if len(line) <= LONGEST_MESSAGE else f"{line[:LONGEST_MESSAGE]}..."
    warn(f"{line}{advice}")
    sys.exit(status)


def _prepare_streams() -> None:
    """Let output that is closed go nowhere, and write characters that cannot be encoded as ``\\xb1``."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115, open as long as we run
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """Let what could not be written be forgotten, or the interpreter would try it again at its end."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _check_installation() -> None:
    """Refuse other packages of the same names: ``benchmark``, ``mhpe`` and ``samplers`` are of one installation."""
    found = {name: find_spec(name) for name in ("benchmark", "mhpe", "samplers")}
    places = {name: str(Path(spec.origin).parents[1]) if spec and spec.origin else "" for name, spec in found.items()}
    if len(set(places.values())) > 1:
        where = ", ".join(f"{name} from {place or 'no package'}" for name, place in places.items())
        raise InputError(
            f"not of one installation: {where}; is there an old copy, or another package of the same name?"
        )
