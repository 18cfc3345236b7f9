"""A folder in which runs of one study are started as processes of their own."""

from functools import cached_property
from pathlib import Path

import sqlalchemy as sa

from benchmark.store import Store, schema
from tests.benchmark.zygote import Process, Zygote

STUDY = """
title: A study that is killed
question: Does it come to its end?
baseline: random
protocols: [aflw2000_to_biwi]
seeds: 4
core: {image_size: 16, k: 2, epochs: 8, batch_size: 16, precision: float32, encoder: {m: 4, widths: [8]}}
arms:
  - sampler: random
  - sampler: gaussian
    sigma: [15, 30]
"""
TRIALS = 12
TABLES = (schema.epochs, schema.weights, schema.evaluations, schema.predictions)


class Place:
    """A folder in which runs of one study are started; its store is results/bench.sqlite if none is named."""

    def __init__(self, folder: Path, data_root: Path, prepared_data: Path, zygote: Zygote) -> None:
        self.folder, self.data_root, self.zygote = folder, data_root, zygote
        self.cache = folder / "cache"
        self.cache.mkdir(parents=True)
        (self.cache / "prepared").symlink_to(prepared_data)
        (folder / "killed.yaml").write_text(STUDY)

    def leftovers(self, store: Store) -> set[str]:
        """Finished trials that still have a checkpoint: a run was killed between storing one and deleting it."""
        keys = {name.partition(".")[0] for name, _ in self.checkpoints()}
        return {key for key, status in store.statuses(keys).items() if status == "done"}

    def run(self, *words: object, jobs: int = 2, study: str = "killed.yaml") -> Process:
        call = ("--study", study, "--data-root", self.data_root, "--jobs", jobs, "--device", "cpu")
        return self.bench("run", *call, *words)

    def bench(self, *words: object) -> Process:
        return self.zygote.start("benchmark.cli:main", *words, cwd=self.folder, MHPE_CACHE=self.cache, BENCH_LEASE=2)

    def train_longer(self) -> None:
        """More epochs, so that a training that has a checkpoint is far from its end."""
        (self.folder / "killed.yaml").write_text(STUDY.replace("epochs: 8", "epochs: 24"))

    @property
    def store_made(self) -> bool:
        return (self.folder / "results" / "bench.sqlite").exists()

    @cached_property
    def store(self) -> Store:
        return Store(str(self.folder / "results" / "bench.sqlite"))

    def checkpoints(self) -> set[tuple[str, int]]:
        """The checkpoints as they are now."""
        found = set()
        for path in (self.cache / "checkpoints").glob("*.pt"):
            try:
                found.add((path.name, path.stat().st_mtime_ns))
            except FileNotFoundError:
                continue
        return found


def contents(store: Store) -> dict[str, list]:
    """All that was trained, bit for bit."""
    with store.engine.connect() as connection:
        return {
            table.name.removeprefix("bench_"): connection.execute(sa.select(table).order_by(*table.primary_key)).all()
            for table in TABLES
        }
