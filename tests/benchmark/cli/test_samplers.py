"""``bench samplers NAME --protocol``: what a sampler draws, without training; and the same in the store."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image

from benchmark.cli import samplers as samplers_verb
from benchmark.cli.samplers import simulate
from benchmark.run.task import Task, execute
from benchmark.store import Store, schema
from benchmark.study.presets import PRESETS, Preset
from mhpe.config import CoreConfig
from mhpe.datasets import prepared
from mhpe.train.loop import poses_of
from samplers.gaussian import Gaussian
from samplers.random import Random
from tests.benchmark.conftest import TINY, Bench
from tests.conftest import make_poses

pytestmark = pytest.mark.slow

ON_AFLW = ("--protocol", "aflw2000_to_biwi")


def test_text_and_figure(bench: Bench, data_root: Path) -> None:
    call = ("samplers", "reverse_gaussian", *ON_AFLW, "--data-root", data_root, "--jobs", 1, "--out", "figures")
    result = bench(*call, "--yaw", -20, "--set", "sigma=45")
    assert result.status == 0, result.err
    assert "sigma=45) on AFLW2000-3D: 48 images, K = 8" in result.out
    assert "references of an input at yaw -20°" in result.out
    rows = re.findall(r"^\[(-?\d+), (-?\d+)\) +(\d+) +(\S+) +(\S+) +(\S+) +(\S+) +(\S+)$", result.out, re.MULTILINE)
    assert [int(row[0]) for row in rows] == list(range(-180, 180, 20))
    assert sum(int(row[2]) for row in rows) == 48
    assert sum(float(row[6]) for row in rows) == pytest.approx(8)
    assert sum(float(row[7]) for row in rows) == pytest.approx(8, abs=0.05)
    assert re.search(r"references from another bin than requested +\d+\.\d%", result.out)
    written = Path("figures/reverse_gaussian-sigma=45-aflw2000_to_biwi")
    with Image.open(f"{written}.png") as picture:
        assert picture.size[0] > 1000
    assert "One input at yaw" in Path(f"{written}.svg").read_text()
    assert f"written: {written}.png and .svg" in result.out


def test_parameters_with_their_defaults(bench: Bench) -> None:
    text = bench("samplers", "uniform").out
    assert [line.split() for line in text.partition("parameter ")[2].splitlines()[1:]] == [
        ["bin_width", "20.0"],
        ["empty_bin", "nearest", "nearest", "or", "populated_only"],
        ["order", "first", "first", "or", "shuffled"],
    ]
    assert "parameter " not in bench("samplers", "random").out
    Path("own.py").write_text(
        "from samplers import Sampler\n\nclass Own(Sampler):\n    name = 'own'\n    scale: float\n\n"
        "    def draw(self, query, k, generator):\n        return self.generator\n"
    )
    assert re.search(r"\nscale +required ", bench("samplers", "own", "--sampler-file", "own.py").out)
    assert "scale=required" in bench("samplers", "--wide", "--sampler-file", "own.py").out


def test_draws_of_a_sampler_that_learns_are_said_to_be_untrained(bench: Bench, data_root: Path) -> None:
    for name, learns in (("semi_hard", True), ("random", False)):
        result = bench("samplers", name, *ON_AFLW, "--data-root", data_root, "--jobs", 1)
        assert result.status == 0, result.err
        assert ("before it has learned" in result.out) == learns


def test_a_sampler_without_bins(bench: Bench, data_root: Path) -> None:
    result = bench("samplers", "random", *ON_AFLW, "--data-root", data_root, "--jobs", 1)
    assert result.status == 0, result.err
    assert "another bin" not in result.out
    assert "weight" not in result.out
    assert Path("results/samplers/random-aflw2000_to_biwi.svg").exists()


def test_rendered_data_of_the_presets_size(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = Preset({"image_size": 16, "k": 2, "references": "pool", "pool_size": 5, "epochs": 2}, {"train": 12})
    monkeypatch.setitem(PRESETS, "tiny", tiny)
    result = bench("samplers", "uniform", "--protocol", "synth_1", "--jobs", 1)
    assert result.status == 0, result.err
    assert "12 images, K = 2, references from a pool of 5 images a batch" in result.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--protocol", "synth_1"), "--protocol does nothing without the name of a sampler"),
        (("gaussian", "--protocol", "synth_3"), "no protocol 'synth_3'"),
        (("gausian", *ON_AFLW), "no sampler 'gausian'; did you mean 'gaussian'?"),
        (("--set", "sigma=45"), "--set does nothing without the name of a sampler"),
        (("gaussian", "--set", "sigma=-1"), "gaussian: sigma: must be greater than 0"),
        (("gaussian", "--set", "sgma=1"), "gaussian: unknown key 'sgma'; did you mean 'sigma'?"),
        (("gaussian", *ON_AFLW, "--set", "sigma=-1"), "sigma: must be greater than 0"),
        (("gaussian", *ON_AFLW, "--yaw", "nan"), "--yaw nan: a number"),
        (("gaussian", *ON_AFLW, "--yaw", "200"), "200.0 is not in the range"),
        (("gaussian", *ON_AFLW), "needs a data folder"),
        (("--sampler-file", "missing.py"), "missing.py: cannot read this sampler file"),
    ],
)
def test_mistakes_are_one_line_with_status_2(bench: Bench, words: tuple[str, ...], message: str) -> None:
    result = bench("samplers", *words)
    assert (result.status, result.out) == (2, "")
    assert re.fullmatch(f"bench: .*{re.escape(message)}.*\n", result.err)


def test_the_programs_name_stands_once_before_a_message(bench: Bench) -> None:
    for verb in ("samplers", "check-sampler"):
        assert bench(verb, "gausian").err.startswith("bench: no sampler 'gausian'; did you mean 'gaussian'?")
        assert bench(verb, "gaussian", "--set", "sigma=-1").err.startswith("bench: gaussian: sigma: ")


def test_a_sampler_that_cannot_draw_is_named(bench: Bench, data_root: Path) -> None:
    Path("own.py").write_text(
        "from samplers import Sampler\n\nclass Own(Sampler):\n    name = 'own'\n\n"
        "    def draw(self, query, k, generator):\n        return 1 / 0\n"
    )
    assert "own" in bench("samplers", "--sampler-file", "own.py").out
    result = bench("samplers", "own", "--sampler-file", "own.py", *ON_AFLW, "--data-root", data_root, "--jobs", 1)
    assert result.status == 2
    assert (
        "own: drawing failed with ZeroDivisionError: division by zero (own.py, line 7); bench check-sampler says more"
        in result.err
    )


def test_a_trial_stores_the_numbers_of_its_own_draws(bench: Bench, tiny_study: Path, data_root: Path) -> None:
    """They are those that the same draws give without a training."""
    assert bench("run", "--study", tiny_study, "--data-root", data_root, "--arm", "gaussian", "--jobs", 1).status == 0
    store = Store("results/bench.sqlite")
    results = store.results("tiny")
    assert len(results) == 4
    poses = poses_of(prepared("aflw2000", 32, data_root))
    core = CoreConfig(image_size=32, k=2, epochs=1, batch_size=16)
    with store.reading() as connection:
        t = schema.trials.c
        stored = dict(connection.execute(sa.select(t.key, t.diagnostics)).all())
    for _, row in results.iterrows():
        expected = simulate(core, Gaussian(sigma=row["parameters"]["sigma"]), poses, row["seed"])
        assert stored[row["trial"]] == expected
        assert expected["references"] == 48 * 2
    assert bench("report").status == 0


def test_a_training_that_was_interrupted_counts_each_epoch_once(data_root: Path) -> None:
    data = prepared("aflw2000", 32, data_root)
    core = CoreConfig(
        image_size=32, k=2, epochs=3, batch_size=16, precision="float32", encoder={"m": 8, "widths": (16,)}
    )
    task = Task("interrupted", "gaussian", {}, None, core, 0, data.folder, {}, device="cpu")
    epochs = iter((None, InterruptedError("killed after two epochs")))

    def end(*_: object) -> None:
        if (error := next(epochs)) is not None:
            raise error

    assert execute(task, end).error == ("InterruptedError", "killed after two epochs")
    outcome = execute(task)
    assert outcome.error is None
    assert [epoch.number for epoch in outcome.epochs] == [0, 1, 2]
    assert outcome.diagnostics == simulate(core, Gaussian(), poses_of(data))


def test_numbers_are_missing_where_nothing_was_trained(bench: Bench, tmp_path: Path, data_root: Path) -> None:
    study = tmp_path / "tiny.yaml"
    study.write_text(TINY + "  - {sampler: random, label: exploding, core: {learning_rate: 1.0e+30}}\n")
    bench("run", "--study", study, "--data-root", data_root, "--jobs", 1, "--seeds", 1, "--arm", "exploding")
    store = Store("results/bench.sqlite")
    assert len(store.results("tiny")) == 1
    assert store.draws("tiny").empty


def test_a_long_training_is_cut_in_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samplers_verb, "REFERENCES", 1000)
    found = simulate(CoreConfig(epochs=5, k=10, batch_size=10), Random(), make_poses(500))
    assert found["references"] == 1000
