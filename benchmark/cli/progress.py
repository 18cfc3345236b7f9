"""What is shown while something runs: bars on a terminal, and lines of finished trials, in log files, too."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from benchmark.cli.terminal import err

if TYPE_CHECKING:
    from benchmark.store.outcome import Outcome
    from mhpe.data.dataset import Progress as DataProgress


def _bars(last: TextColumn | TimeRemainingColumn) -> Progress:
    """Bars on a terminal, which vanish when they are done."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), last
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


@contextmanager
def data_progress(title: str, log: bool = False) -> Iterator["DataProgress"]:
    """A bar for work on one data set, which vanishes when that is done; with ``log`` a line where there is none."""
    with _bars(TimeRemainingColumn()) as bars:
        tasks: dict[str, TaskID] = {}

        def update(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(f"{title}: {what}", total=total)
                if log and not err.is_terminal:
                    err.print(f"{escape(title)}: {escape(what)}, {total:,}", soft_wrap=True)
            bars.update(tasks[what], completed=done)

        yield update


class RunReporter:
    """One bar for the study with the time left, one line for each finished trial."""

    def __init__(self, study: str) -> None:
        self._bars = _bars(TextColumn("{task.fields[left]}"))
        self._task = self._bars.add_task(study, total=None, left="")
        self._finished = self._waited_for = 0

    def __enter__(self) -> "RunReporter":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def start(self, total: int, done: int) -> None:
        """Show what was done before."""
        self._bars.update(self._task, total=total, completed=done)

    def finished(self, outcome: "Outcome", name: str) -> None:
        """Add a trial's line and move the bar."""
        if outcome.error is not None:
            self._line("failed", f"{name}: {': '.join(outcome.error)}")
            return
        results = ", ".join(f"{test} MAE {e.metrics['mae']:.2f}°" for test, e in outcome.evaluations.items())
        seconds = f"  ({_clock(outcome.seconds)})" if outcome.seconds else "  (evaluated)"
        self._line("done", f"{name}: {results}{seconds}")

    def _line(self, status: str, text: str) -> None:
        self._finished += 1
        self._bars.advance(self._task)
        task = self._bars.tasks[0]
        left = (task.elapsed or 0) / self._finished * (task.remaining or 0)
        remaining = f"{_clock(left)} left" if left else ""
        self._bars.update(self._task, left=remaining)
        colour = {"done": "green", "failed": "red"}[status]
        place = "" if err.is_terminal else f"{task.completed:.0f}/{task.total or 0:.0f} "  # which the bar says there
        after = f", {remaining}" if remaining and not err.is_terminal else ""
        err.print(f"{place}[{colour}]{status:<8}[/]{escape(text)}{after}", soft_wrap=not err.is_terminal)

    def note(self, text: str) -> None:
        """Say what went wrong without harm."""
        err.print(f"bench: {escape(text)}", soft_wrap=True)

    def waiting(self, count: int) -> None:
        """Say that other processes train the rest: in the bar, and in a log whenever their number changes."""
        text = f"waiting for {count} trial(s) of other processes"
        self._bars.update(self._task, left=text)
        if not err.is_terminal and count != self._waited_for:
            self.note(text)
        self._waited_for = count


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds, as rich's own columns show them."""
    return str(timedelta(seconds=round(seconds)))
