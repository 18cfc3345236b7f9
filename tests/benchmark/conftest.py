"""Fixtures for the benchmark's tests: a study that trains in seconds, and the command line in this process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmark.cli import main
from tests.benchmark import postgres
from tests.benchmark import zygote as zygotes

TINY_CORE = "{image_size: 32, k: 2, epochs: 1, batch_size: 16, precision: float32, encoder: {m: 8, widths: [16]}}"
TINY = f"""
title: A tiny study
question: Does it run?
baseline: random
protocols: [aflw2000_to_biwi]
seeds: 2
core: {TINY_CORE}
arms:
  - sampler: random
  - sampler: gaussian
    sigma: [15, 30]
"""


@pytest.fixture
def tiny_study(tmp_path: Path) -> Path:
    """A study of three arms and two seeds."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


@dataclass(frozen=True)
class Result:
    """What a call of the command line did."""

    status: int
    out: str
    err: str


Bench = Callable[..., Result]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    """Call ``bench`` in an empty folder, as the console script does."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def call(*words: object) -> Result:
        monkeypatch.setattr("sys.argv", ["bench", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Result(int(ended.value.code or 0), captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[postgres.Cluster]:
    """One PostgreSQL cluster for all tests."""
    programs = postgres.programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs (initdb, pg_ctl) are not installed")
    with postgres.cluster(programs) as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty store of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new/results.sqlite"
    return request.getfixturevalue("postgres_cluster").new_database()


@pytest.fixture(scope="session")
def zygote() -> Iterator[zygotes.Zygote]:
    """Starts processes that have everything imported."""
    with zygotes.zygote() as started:
        yield started
