"""Export and import of a store."""

import csv
import json
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import sqlalchemy as sa
import torch

from benchmark.store import Store, exporting, schema
from benchmark.store.exporting import export_store
from benchmark.store.importing import import_store
from benchmark.store.store import Planned
from benchmark.study import Arm
from benchmark.trial import Trial
from mhpe.config import CoreConfig
from mhpe.errors import InputError
from samplers.random import Random
from tests.benchmark.conftest import Bench
from tests.benchmark.test_store import make_test_set, outcome

WEIGHTS = safetensors.torch.save({"w": torch.arange(4.0)})
NASTY = 'a,"b"\r\n\n; <i>é</i> \\ \t =1+1'
ARM = Arm("random", Random(), CoreConfig())
TRIALS = [Trial(ARM, "train", "f" * 64, seed) for seed in range(4)]
DEFINITION = {"title": NASTY, "question": "Does it come back?", "baseline": "random"}


def store_of(url: object, done: tuple[int, ...], failed: tuple[int, ...] = (), mae: float = 5.0) -> Store:
    """A store with a study of four seeds."""
    store = Store(str(url))
    store.add_test_set(make_test_set(4))
    cells = [
        Planned("study", "standard", "aflw2000_to_biwi", NASTY, 0, {}, trial.seed, trial.key, "t" * 64)
        for trial in TRIALS
    ]
    store.plan("study", DEFINITION, cells, TRIALS)
    for seed in done:
        result = replace(outcome(mae=mae + seed / 3), key=TRIALS[seed].key, weights=WEIGHTS)
        store.finish(replace(result, diagnostics={"coverage": 0.1}))
    for seed in failed:
        store.finish(replace(outcome(error=("ValueError", NASTY)), key=TRIALS[seed].key))
    return store


def content(store: Store) -> dict[str, list]:
    """Everything in a store but its trials' states before their end."""
    with store.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(table))))
            for table in schema.tables.sorted_tables
            if table is not schema.meta
        }


def statuses(store: Store) -> list[str | None]:
    found = store.statuses([trial.key for trial in TRIALS])
    return [found.get(trial.key) for trial in TRIALS]


def test_export_and_import_give_an_identical_store(store_url: str, tmp_path: Path) -> None:
    store = store_of(tmp_path / "first.sqlite", done=(0, 1, 3), failed=(2,))
    assert export_store(store, tmp_path / "out") == 4
    new = Store(store_url)
    merged = import_store(new, tmp_path / "out")
    assert (merged.added, merged.kept) == (4, 0)
    assert content(new) == content(store)
    export_store(new, tmp_path / "again")
    first, second = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "out", tmp_path / "again")
    )
    assert first == second
    before = content(new)
    merged = import_store(new, tmp_path / "out")
    assert (merged.added, merged.kept) == (0, 4)
    assert content(new) == before


def test_export_is_of_one_moment(store_url: str, tmp_path: Path, monkeypatch) -> None:
    store = store_of(store_url, done=(0,))

    def write_table(connection, table, keys, folder) -> None:
        if table is schema.evaluations:  # meanwhile another process has finished one, with a new test set
            store.add_test_set(replace(make_test_set(4), fingerprint="u" * 64))
            further = replace(outcome().evaluations["test"], fingerprint="u" * 64)
            store.add_evaluations(TRIALS[0].key, [further])
        real(connection, table, keys, folder)

    real = exporting._write_table
    monkeypatch.setattr(exporting, "_write_table", write_table)
    export_store(store, tmp_path / "out")
    assert import_store(Store(str(tmp_path / "new.sqlite")), tmp_path / "out").added == 1
    assert len((tmp_path / "out" / "evaluations.csv").read_text().splitlines()) == 2


def test_trials_merge_by_identity(tmp_path: Path) -> None:
    theirs = store_of(tmp_path / "theirs.sqlite", done=(0, 1), failed=(2, 3), mae=9.0)
    export_store(theirs, tmp_path / "out")
    ours = store_of(tmp_path / "ours.sqlite", done=(0, 3), failed=(1,), mae=5.0)
    merged = import_store(ours, tmp_path / "out")
    assert (merged.added, merged.kept) == (1, 3)
    # what is done here stays, a failure here is filled, a failure of theirs changes nothing
    assert statuses(ours) == ["done", "done", "waiting", "done"]
    maes = ours.results("study")["mae"].tolist()
    assert maes[0] == 5.0
    assert maes[1] == 9.0 + 1 / 3
    assert maes[3] == 6.0


def test_command_line_gives_an_identical_report(bench: Bench, tiny_study: Path, data_root: Path, tmp_path) -> None:
    def report() -> dict[Path, bytes]:
        shutil.rmtree("results/report", ignore_errors=True)
        assert bench("report").status == 0
        return {path: path.read_bytes() for path in Path("results/report").rglob("*") if path.is_file()}

    run = bench("run", "--study", tiny_study, "--data-root", data_root)
    assert run.status == 0, run.err
    first = report()
    out = bench("store", "export", tmp_path / "out")
    assert out.out == f"6 trials written to {tmp_path / 'out'}\n"
    Path("results/bench.sqlite").rename("first.sqlite")
    into = bench("store", "import", tmp_path / "out")
    assert into.out == "6 trials added to sqlite:///results/bench.sqlite, 0 kept as they are there\n"
    assert report() == first
    # weights came along: nothing is trained again
    again = bench("run", "--study", tiny_study, "--data-root", data_root)
    assert "6 trials: 0 trained, 6 there before" in again.out


def test_export_needs_a_new_folder_and_a_result(bench: Bench, tmp_path: Path) -> None:
    empty = bench("store", "export", tmp_path / "out")
    assert (empty.status, "holds no finished trial" in empty.err) == (2, True)
    store = store_of(tmp_path / "store.sqlite", done=(0,))
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / "mine.txt").write_text("")
    full = bench("store", "export", tmp_path / "out", "--store", store.engine.url.render_as_string())
    assert (full.status, full.err) == (2, f"bench: {tmp_path / 'out'} is not empty; name a new folder\n")


# hostile folders


def names(folder: Path) -> list[str]:
    """Files of a folder, without those that SQLite makes and removes."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(("-shm", "-wal")))


def edit(folder: Path, table: str, change: Callable[[dict[str, str]], object]) -> None:
    path = folder / f"{table}.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        change(row)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def setting(table: str, **values: str) -> Callable[[Path], None]:
    return lambda folder: edit(folder, table, lambda row: row.update(values))


def array_file(folder: Path) -> Path:
    return sorted((folder / "predictions").glob("*.rotations.npy"))[0]


def pickled(folder: Path) -> None:
    array_file(folder).write_bytes(pickle.dumps(np.zeros((4, 3, 3), np.float32)))


def pickled_npy(folder: Path) -> None:
    np.save(array_file(folder), np.array([{}], dtype=object), allow_pickle=True)


def not_finite(folder: Path) -> None:
    np.save(array_file(folder), np.full((4, 3, 3), np.nan, np.float32))


def shorter(folder: Path) -> None:
    np.save(array_file(folder), np.zeros((3, 3, 3), np.float32))


def cut(folder: Path) -> None:
    array_file(folder).write_bytes(array_file(folder).read_bytes()[:-8])


def giant(folder: Path) -> None:
    """A few bytes that claim to be 10^15 matrices."""
    header = np.lib.format.magic(1, 0) + (118).to_bytes(2, "little")
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000, 3, 3), }"
    array_file(folder).write_bytes(header + text.ljust(117).encode() + b"\n")


def link_out(folder: Path) -> None:
    path = array_file(folder)
    outside = folder.parent / "outside.npy"
    shutil.move(path, outside)
    path.symlink_to(outside)


def escaping_key(folder: Path) -> None:
    setting("trials", key="../../outside")(folder)
    setting("weights", trial="../../outside")(folder)


def no_weights(folder: Path) -> None:
    path = folder / "weights.csv"
    path.write_text("trial\n")


def extra_column(folder: Path) -> None:
    edit(folder, "trials", lambda row: None)
    text = (folder / "trials.csv").read_text().replace("key,", "extra,key,", 1)
    (folder / "trials.csv").write_text(text)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "export.json").unlink(), "is no export of a store"),
        (lambda folder: (folder / "export.json").write_text("[1]"), "is no export of a store"),
        (
            lambda folder: (folder / "export.json").write_text(
                json.dumps({"program": "mhpe-bench", "format": 1, "schema_version": 99})
            ),
            "written by another version",
        ),
        (lambda folder: (folder / "epochs.csv").unlink(), "epochs.csv: cannot read this table"),
        (lambda folder: (folder / "epochs.csv").write_bytes(b"\xff\xfe\x00"), "epochs.csv: cannot read this table"),
        (lambda folder: (folder / "epochs.csv").write_text(""), "epochs.csv: cannot read this table"),
        (extra_column, "trials.csv: its columns must be key, status"),
        (setting("trials", key="0" * 20), "the key is not the digest of the identity"),
        (setting("trials", identity='{"seed": 1}'), "the key is not the digest of the identity"),
        (setting("trials", identity="[" * 100_000), "identity cannot be read"),
        (setting("trials", identity="[]"), "identity cannot be read"),
        (setting("trials", status="running"), "status must be done, failed, pruned, not 'running'"),
        (setting("trials", seed="1e3"), "seed cannot be read"),
        (setting("trials", seed="9" * 30), "seed cannot be read"),
        (setting("trials", sampler="x" * 101), "sampler has more than 100 characters"),
        (setting("trials", sampler=""), "sampler is missing"),
        (escaping_key, "the key is not the digest of the identity"),
        (setting("evaluations", mae="nan"), "mae cannot be read"),
        (setting("evaluations", test_set="u" * 64), "evaluations.csv, row 1: FOREIGN KEY"),
        (setting("epochs", trial="0" * 20), "trial '00000000000000000000' is not in trials.csv"),
        (setting("weights", trial="../../outside"), "'../../outside' is no key"),
        (setting("predictions", test_set="../outside"), "is no key"),
        (setting("test_sets", fingerprint="/etc/passwd"), "is no key"),
        (setting("studies", name="../../outside"), "'../../outside' cannot be a file's name"),
        (setting("planned", preset="a/../../b"), "'a/../../b' cannot be a file's name"),
        (setting("studies", definition='{"title": 1}'), "the study's definition lacks its title"),
        (setting("studies", definition='{"title": NaN}'), "NaN is not JSON"),
        (pickled, "missing or damaged"),
        (pickled_npy, "missing or damaged"),
        (cut, "missing or damaged"),
        (giant, "missing or damaged"),
        (lambda folder: array_file(folder).unlink(), "missing or damaged"),
        (shorter, r"must hold float32 of shape \(4, 3, 3\)"),
        (not_finite, "all of them finite"),
        (link_out, "leads out of the folder"),
        (no_weights, "is done but has no weights"),
        (
            lambda folder: next((folder / "weights").iterdir()).write_bytes(pickle.dumps({})),
            "missing or damaged",
        ),
    ],
)
def test_hostile_folder_is_one_clear_line_and_changes_nothing(bench: Bench, tmp_path: Path, damage, message) -> None:
    folder = tmp_path / "in" / "out"
    export_store(store_of(tmp_path / "theirs.sqlite", done=(0, 1)), folder)
    ours = store_of(tmp_path / "ours.sqlite", done=(1,), failed=(2,))
    damage(folder)
    before, outside = content(ours), names(tmp_path)
    result = bench("store", "import", folder, "--store", f"sqlite:///{tmp_path}/ours.sqlite")
    assert result.status == 2
    assert result.err.count("\n") == 1
    assert str(folder) in result.err
    with pytest.raises(InputError, match=message):
        import_store(ours, folder)
    assert content(ours) == before
    assert names(tmp_path) == outside
