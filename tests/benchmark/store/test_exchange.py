"""Export and import of a store."""

import shutil
from dataclasses import replace
from pathlib import Path

import safetensors.torch
import sqlalchemy as sa
import torch

from benchmark.exchange import exporting, importing
from benchmark.exchange.exporting import export_store
from benchmark.exchange.importing import import_store
from benchmark.store import Store, schema
from benchmark.store.reading import load_predictions
from benchmark.store.search_store import SearchStore
from benchmark.study.cell import Planned
from benchmark.study.study import Arm
from benchmark.study.trial import Trial, identity_key
from mhpe.config import CoreConfig
from samplers.random import Random
from tests.benchmark.conftest import Bench
from tests.benchmark.store.test_store import make_test_set, outcome

WEIGHTS = safetensors.torch.save({"w": torch.arange(4.0)})
NASTY = 'a,"b"\r\n\n; <i>é</i> \\ \t =1+1'
ARM = Arm("random", Random(), CoreConfig())
TRIALS = [Trial(ARM, "train", "f" * 64, seed) for seed in range(4)]
SEARCH = {
    "study": "study",
    "preset": "standard",
    "space": {"sigma": {"low": 5.0, "high": 90.0, "log": False}},
    "search": {"seeds": 1},
}
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


def test_import_is_the_same_however_many_rows_are_inserted_at_once(tmp_path: Path, monkeypatch) -> None:
    store = store_of(tmp_path / "first.sqlite", done=(0, 1, 3), failed=(2,))
    export_store(store, tmp_path / "out")
    for rows in (1, 2, 3):
        monkeypatch.setattr(importing, "ROWS_AT_ONCE", rows)
        new = Store(str(tmp_path / f"{rows}.sqlite"))
        import_store(new, tmp_path / "out")
        assert content(new) == content(store)


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


def test_evaluations_on_further_test_sets_are_added_to_trials_done_on_both_sides(tmp_path: Path) -> None:
    theirs = store_of(tmp_path / "theirs.sqlite", done=(0,), mae=9.0)
    theirs.add_test_set(replace(make_test_set(4), fingerprint="u" * 64))
    theirs.add_evaluations(TRIALS[0].key, [replace(outcome(mae=8.0).evaluations["test"], fingerprint="u" * 64)])
    export_store(theirs, tmp_path / "out")
    ours = store_of(tmp_path / "ours.sqlite", done=(0,), mae=5.0)
    merged = import_store(ours, tmp_path / "out")
    assert (merged.added, merged.kept) == (0, 1)
    with ours.reading() as connection:
        e = schema.evaluations.c
        assert dict(connection.execute(sa.select(e.test_set, e.mae)).all()) == {"t" * 64: 5.0, "u" * 64: 8.0}
    assert load_predictions(ours, [TRIALS[0].key], "u" * 64)[TRIALS[0].key][0].shape == (4, 3, 3)


def test_points_that_wait_take_the_end_they_have_elsewhere(store_url: str, tmp_path: Path) -> None:
    def search_in(store: SearchStore) -> SearchStore:
        store.add_search(key, "study", "standard", "train", "gaussian", SEARCH, 4)
        return store

    key = identity_key(SEARCH)
    theirs = search_in(SearchStore(store_of(tmp_path / "theirs.sqlite", done=(0,)).url))
    for number in range(3):
        theirs.set_asked(key, number, number, {"sigma": 30.0})
        theirs.end_point(key, number, "done", 7.0, None)
    export_store(theirs, tmp_path / "out")
    ours = search_in(SearchStore(store_of(store_url, done=()).url))
    ours.set_asked(key, 0, 5, {"sigma": 20.0})
    ours.set_asked(key, 1, 6, {"sigma": 10.0})
    ours.end_point(key, 1, "done", 6.0, None)
    import_store(ours, tmp_path / "out")
    found = [(p.status, p.value, p.optuna_number, p.parameters) for p in ours.points([key])]
    assert found == [
        ("done", 7.0, None, {"sigma": 30.0}),
        ("done", 6.0, 6, {"sigma": 10.0}),
        ("done", 7.0, None, {"sigma": 30.0}),
        ("waiting", None, None, None),
    ]


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
    url = store_of(tmp_path / "empty.sqlite", done=()).engine.url.render_as_string()
    empty = bench("store", "export", tmp_path / "out", "--store", url)
    assert (empty.status, "holds no finished trial" in empty.err) == (2, True)
    store = store_of(tmp_path / "store.sqlite", done=(0,))
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / "mine.txt").write_text("")
    full = bench("store", "export", tmp_path / "out", "--store", store.engine.url.render_as_string())
    assert (full.status, full.err) == (2, f"bench: {tmp_path / 'out'} is not empty; name a new folder\n")
