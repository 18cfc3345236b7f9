"""Imports of folders that are damaged or made to do harm: one clear line, and nothing is changed."""

import csv
import json
import pickle
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from benchmark.exchange.exporting import export_store
from benchmark.exchange.importing import import_store
from benchmark.study.trial import identity_key
from mhpe.errors import InputError
from tests.benchmark.conftest import Bench
from tests.benchmark.store.test_exchange import DEFINITION, SEARCH, TRIALS, content, store_of


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


def bad_header(text: str) -> Callable[[Path], None]:
    """A .npy file with another text for a header."""

    def write(folder: Path) -> None:
        header = np.lib.format.magic(1, 0) + (len(text) + 1).to_bytes(2, "little")
        array_file(folder).write_bytes(header + text.encode() + b"\n" + bytes(4 * 36))

    return write


def zipped(folder: Path) -> None:
    np.savez(folder / "x.npz", np.zeros((4, 3, 3), np.float32))
    (folder / "x.npz").replace(array_file(folder))


def longer(folder: Path) -> None:
    array_file(folder).write_bytes(array_file(folder).read_bytes() + b"more")


def identity(change: Callable[[dict], object]) -> Callable[[Path], None]:
    """Trials of another identity, with its digest for a key."""

    def write(folder: Path) -> None:
        def row_of(row: dict[str, str]) -> None:
            if row["key"] == TRIALS[0].key:
                changed = json.loads(row["identity"])
                change(changed)
                row.update(identity=json.dumps(changed), key=identity_key(changed))

        edit(folder, "trials", row_of)

    return write


def searched(definition: dict, key: str | None = None) -> Callable[[Path], None]:
    """A search that the export had not."""

    def write(folder: Path) -> None:
        text = json.dumps(definition).replace('"', '""')
        row = f'{key or identity_key(definition)},study,standard,train,gaussian,"{text}",0.0\n'
        (folder / "searches.csv").write_text("key,study,preset,train_set,sampler,definition,created\n" + row)

    return write


def cells(table: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    """Another last row of a table."""

    def write(folder: Path) -> None:
        *lines, last = (folder / f"{table}.csv").read_text().splitlines()
        (folder / f"{table}.csv").write_text("\n".join((*lines, change(last))) + "\n")

    return write


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
        (setting("studies", definition='{"title": 1}'), "definition.title: input should be a valid string, not 1"),
        (setting("studies", definition='{"title": NaN}'), "NaN is not JSON"),
        (
            setting("studies", definition=json.dumps(DEFINITION | {"margin": "wide"})),
            "definition.margin: input should be",
        ),
        (setting("studies", definition=json.dumps(DEFINITION | {"baselines": [1]})), "definition.baselines: input"),
        (
            setting("studies", definition=json.dumps(DEFINITION | {"search": {}})),
            "definition.search.confirm is missing",
        ),
        (setting("studies", definition=json.dumps(DEFINITION | {"margin": 0})[:-2] + "1e999}"), "inf is out of range"),
        (setting("studies", definition=json.dumps(DEFINITION | {"margin": 10**400})), "is out of range"),
        (setting("studies", definition=json.dumps(DEFINITION | {"title": "\ud800"})), "definition cannot be read"),
        (setting("studies", definition=json.dumps(DEFINITION | {"title": "\0"})), "a NUL character"),
        (setting("planned", parameters="[" * 900 + "]" * 900), "parameters cannot be read"),
        (setting("planned", parameters='{"x":' + "[" * 900 + "]" * 900 + "}"), "nested more than 30 deep"),
        (setting("planned", parameters='{"sigma": "wide"}'), "parameters.sigma: input should be a valid number"),
        (setting("trials", diagnostics='{"coverage": "all"}'), "diagnostics.coverage: input should be a valid number"),
        (setting("trials", diagnostics='{"distance": {"shares": [0.5]}}'), "diagnostics.distance.shares: list should"),
        (setting("trials", finished="1e300"), "finished: input should be less than"),
        (setting("trials", seed="77"), "seed is 77, but the key was made of 0"),
        (setting("trials", environment='{"host": 5}'), "environment.host: input should be a valid string"),
        (identity(lambda changed: changed.pop("core")), "identity.core is missing"),
        (setting("epochs", losses='{"total": "much"}'), "losses.total: input should be a valid number"),
        (setting("evaluations", mae="1e300"), "mae: input should be less than or equal to 360"),
        (setting("test_sets", image_ids="[1, 2, 3, 4]"), "image_ids.0: input should be a valid string"),
        (setting("test_sets", meta='{"found": "many"}'), "meta.found: input should be a valid integer"),
        (searched(SEARCH, "0" * 20), "searches.csv, row 1: the key is not the digest of the definition"),
        (searched(SEARCH | {"study": "another"}), "study is 'study', but the key was made of 'another'"),
        (setting("trials", status="failed"), "weights.csv, row 1: trial .* is not done"),
        (cells("predictions", lambda _: ""), "predictions.csv: not as evaluations.csv for trial"),
        (cells("epochs", lambda row: row.partition(",")[0]), "epochs.csv, row 2: number is missing"),
        (cells("epochs", lambda row: row + ",more"), "epochs.csv: cannot read this table"),
        (pickled, "missing or damaged"),
        (zipped, "missing or damaged"),
        (longer, "missing or damaged"),
        (bad_header("("), "missing or damaged"),
        (bad_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 3, 3), }"), "missing or damaged"),
        (bad_header("{'descr': '<f4', 'fortran_order': False, 'shape': (" + "9" * 50 + ",), }"), "missing or damaged"),
        (bad_header("-" * 9000 + "1"), "missing or damaged"),
        (bad_header("x" * 20000), "missing or damaged"),
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


@pytest.mark.parametrize(
    "changes",
    [
        {3: {"test_set": "u" * 64}},
        {2: {"test_set": "u" * 64}, 3: {"mae": "nan"}},
        {2: {"mae": "nan"}, 3: {"test_set": "u" * 64}},
    ],
)
def test_first_wrong_row_is_named_whoever_refuses_it(store_url: str, tmp_path: Path, changes: dict) -> None:
    export_store(store_of(tmp_path / "theirs.sqlite", done=(0, 1, 2)), tmp_path / "out")
    number = count(1)
    edit(tmp_path / "out", "evaluations", lambda row: row.update(changes.get(next(number), {})))
    ours = store_of(store_url, done=(3,))
    before = content(ours)
    with pytest.raises(InputError, match=f"evaluations.csv, row {min(changes)}: ") as error:
        import_store(ours, tmp_path / "out")
    assert "\n" not in str(error.value)
    assert content(ours) == before
