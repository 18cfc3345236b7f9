"""Many processes on one store: kills, interrupts, and several runs at once."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from benchmark.store import Store, schema
from tests.benchmark.conftest import Bench
from tests.benchmark.run.place import STUDY, TRIALS, Place, contents
from tests.benchmark.zygote import Zygote, lives, waiting

pytestmark = pytest.mark.slow

KILLS = 20


def reported(bench: Bench, place: Place, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The whole report, for trainings of equal duration and date."""
    with place.store.writing() as connection:
        connection.execute(sa.update(schema.trials).values(seconds=1.0, finished=0.0))
    monkeypatch.chdir(place.folder)
    result = bench("report")
    assert result.status == 0, result.err
    folder = Path("results/report")
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def watch(store: Store) -> None:
    """Let the database itself write down every end of a trial, and every change of a finished one."""
    with store.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE ends (key)")
        connection.exec_driver_sql(
            f"CREATE TRIGGER watched AFTER UPDATE OF status ON {schema.trials.name} "
            "WHEN NEW.status = 'done' OR OLD.status = 'done' BEGIN INSERT INTO ends VALUES (NEW.key); END"
        )


def ends(store: Store) -> pd.Series:
    """How often each trial ended."""
    with store.engine.connect() as connection:
        return pd.Series(list(connection.exec_driver_sql("SELECT key FROM ends").scalars())).value_counts()


def test_twenty_kills_lose_nothing_and_repeat_nothing(
    place: Place, bench: Bench, tmp_path: Path, prepared_data: Path, zygote: Zygote, monkeypatch, record_property
) -> None:
    """20 times kill -9 of a random worker or parent at a random moment, each followed by a new run."""
    whole = Place(tmp_path / "whole", place.data_root, prepared_data, zygote)
    assert whole.run().wait() == 0
    assert whole.checkpoints() == set()
    (place.folder / "results").mkdir()
    watch(place.store)

    rng = np.random.default_rng(0)
    runs, killed = [place.run()], {"worker": [], "parent": []}
    left: set[str] = set()
    while sum(map(len, killed.values())) < KILLS:
        seen, wanted = place.checkpoints(), rng.integers(1, 4)
        for _ in waiting("checkpoints"):  # let it make some progress
            seen |= place.checkpoints()
            runs = [run for run in runs if run.status() is None] or [place.run()]
            if len(seen) >= wanted and any(run.workers() for run in runs):
                break
        time.sleep(rng.uniform(0, 0.05))
        kind = str(rng.choice(["worker", "parent"]))
        targets = [pid for run in runs for pid in (run.workers() if kind == "worker" else [run.pid])]
        if not targets:
            continue
        target = int(rng.choice(targets))
        os.kill(target, signal.SIGKILL)
        killed[kind].append(target)
        left |= place.leftovers(place.store)
        if len(runs) < 2 or kind == "parent":
            runs.append(place.run("--retry-failed"))
    for run in runs:
        run.wait()
    last = place.run("--retry-failed")
    assert last.wait() == 0, last.output

    store, expected = place.store, contents(whole.store)
    found = contents(store)
    count = ends(store)
    lost = TRIALS - len(found["evaluations"])
    duplicates = int((count - 1).sum())
    kills = {f"kills of a {kind}": len(pids) for kind, pids in killed.items()}
    for name, number in {"trials": TRIALS, **kills, "duplicates": duplicates, "lost": lost}.items():
        record_property(name, number)  # for the note: pytest --junitxml
    assert min(map(len, killed.values())) > 0
    assert (lost, duplicates, len(count)) == (0, 0, TRIALS)
    assert set(store.statuses([row.trial for row in found["evaluations"]]).values()) == {"done"}
    assert found == expected  # history, weights, metrics and predictions, bit for bit
    assert reported(bench, place, monkeypatch) == reported(bench, whole, monkeypatch)
    assert {name.partition(".")[0] for name, _ in place.checkpoints()} <= left
    for _ in waiting("the end of the killed runs' workers"):
        if not any(lives(pid) for pids in killed.values() for pid in pids):
            break


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_says_what_is_done_and_how_to_go_on(place: Place, number: signal.Signals) -> None:
    place.train_longer()
    run = place.run()
    for _ in waiting("a finished trial and a checkpoint of one that is not"):
        begun = {name.partition(".")[0] for name, _ in place.checkpoints()}
        status = statuses(place)
        if "done" in status.values() and any(status.get(key) == "running" for key in begun):
            break
    workers = run.workers()
    if number == signal.SIGINT:
        os.killpg(run.pid, number)  # as a terminal does: the workers get it too
    else:
        os.kill(run.pid, number)
    assert run.wait() == 130
    count = list(statuses(place).values()).count("done")
    assert 0 < count < TRIALS
    *finished, last = [line for line in run.output.splitlines() if "published results" not in line]
    assert len(finished) in (count - 1, count)  # the last one's line may not have come before the signal
    assert [line.split()[:2] for line in finished] == [[f"{n}/{TRIALS}", "done"] for n in range(1, len(finished) + 1)]
    assert last == (
        f"bench: interrupted: {count} of {TRIALS} trials are stored in sqlite:///results/bench.sqlite; "
        "the same command goes on from there"
    )
    assert set(statuses(place).values()) == {"done", "waiting"}  # no lease is left
    assert place.checkpoints()  # unfinished trainings go on from their last epoch
    assert workers
    for _ in waiting("the end of the workers"):
        if not any(lives(pid) for pid in workers):
            break
    again = place.run()
    assert again.wait() == 0
    assert f"{TRIALS - count} trained, {count} reused" in again.output


def test_run_whose_data_vanish_stops_and_fails_no_trial(place: Place) -> None:
    run = place.run()
    for _ in waiting("a finished trial"):
        if "done" in statuses(place).values():
            break
    (place.cache / "prepared").unlink()
    assert run.wait() == 2, run.output
    *_, last = run.output.splitlines()
    assert last.startswith("bench: ")
    assert "prepared data set" in last
    assert set(statuses(place).values()) == {"done", "waiting"}


def test_sigterm_while_data_are_rendered_leaves_nothing_behind(place: Place) -> None:
    (place.cache / "prepared").unlink()
    study = STUDY.replace("aflw2000_to_biwi", "synth_1") + "synthheads: {train: 20000}\n"  # minutes of rendering
    (place.folder / "killed.yaml").write_text(study)
    run = place.bench("run", "--study", "killed.yaml", "--jobs", 2, "--device", "cpu")
    for _ in waiting("the rendering"):
        assert run.status() is None, run.output
        if list((place.cache / "prepared").glob(".synth_train*/images.npy")):
            break
    os.kill(run.pid, signal.SIGTERM)
    assert run.wait() == 130
    assert run.output.splitlines()[-1].startswith("bench: interrupted")
    assert not [path for path in (place.cache / "prepared").iterdir() if path.is_dir()]


def statuses(place: Place) -> dict[str, str]:
    """Status of each trial by its key."""
    if not (place.folder / "results" / "bench.sqlite").exists():
        return {}
    with place.store.engine.connect() as connection:
        return dict(connection.execute(sa.select(schema.trials.c.key, schema.trials.c.status)).all())
