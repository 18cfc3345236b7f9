"""Study files: grids, labels, and errors that say what would be right."""

import re
from pathlib import Path

import pytest

from benchmark.protocols import PROTOCOLS
from benchmark.study import load_study, merge, select, study_names
from mhpe.config import PRESETS, CoreConfig
from mhpe.errors import InputError
from mhpe.validation import parse
from tests.benchmark.conftest import TINY


def load(tmp_path: Path, text: str):
    path = tmp_path / "study.yaml"
    path.write_text(text)
    return load_study(str(path), "standard")


@pytest.mark.parametrize("name", study_names())
@pytest.mark.parametrize("preset", PRESETS)
def test_shipped_studies_are_sound(name: str, preset: str) -> None:
    study = load_study(name, preset)
    assert study.file.question.endswith("?")
    assert set(study.file.protocols) <= set(PROTOCOLS)


def test_gaussian_sigma_has_exactly_the_slides_arms() -> None:
    arms = load_study("gaussian_sigma", "standard").arms
    assert arms[0].sampler.name == "random"
    assert [(arm.sampler.name, arm.sampler.bin_width, arm.sampler.sigma) for arm in arms[1:]] == [
        ("gaussian", 20, sigma) for sigma in (15, 20, 30, 37.5, 45)
    ]
    assert {arm.core for arm in arms} == {CoreConfig()}


def test_presets_are_what_the_slides_say() -> None:
    core = parse(CoreConfig, PRESETS["paper"], "paper")
    assert (core.batch_size, core.learning_rate, core.weight_decay) == (100, 0.01, 1e-6)
    assert core.schedule.kind == "step"
    assert core.schedule.milestones == (20, 50, 80)


def test_lists_make_a_grid(tmp_path: Path) -> None:
    text = TINY + "  - {sampler: bins, bin_width: [10, 20], core: {noise_c: [0, 0.2]}}\n"
    arms = load(tmp_path, text).arms
    assert [arm.label for arm in arms[3:]] == [
        "bins(bin_width=10, noise_c=0)",
        "bins(bin_width=10, noise_c=0.2)",
        "bins(bin_width=20, noise_c=0)",
        "bins(bin_width=20, noise_c=0.2)",
    ]
    assert [arm.core.noise_c for arm in arms[3:]] == [0, 0.2, 0, 0.2]
    assert arms[3].core.encoder.m == 8  # the study's core below the arm's


def test_labels_can_be_written(tmp_path: Path) -> None:
    text = TINY + "  - {sampler: gaussian, sigma: [20, 45], label: 'near {sigma}'}\n"
    assert [arm.label for arm in load(tmp_path, text).arms[3:]] == ["near 20", "near 45"]


def test_arms_are_chosen_by_label_or_sampler(tmp_path: Path) -> None:
    study = load(tmp_path, TINY)
    assert select(study, ()) == study.arms
    assert [arm.label for arm in select(study, ("gaussian",))] == ["gaussian(sigma=15)", "gaussian(sigma=30)"]
    assert [arm.label for arm in select(study, ("random", "gaussian(sigma=30)"))] == ["random", "gaussian(sigma=30)"]
    with pytest.raises(InputError, match="no arm 'gausian'; did you mean 'gaussian'"):
        select(study, ("gausian",))


def test_own_samplers_are_found_beside_the_study(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from samplers.random import Random\nclass Mine(Random):\n    '''Mine.'''\n    name = 'mine'\n"
    )
    study = load(tmp_path, TINY + "  - sampler: mine\nsamplers: [mine.py]\n")
    assert study.arms[-1].sampler_file == tmp_path / "mine.py"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("seeds: 2", "seed: 2"), "unknown key 'seed'; did you mean 'seeds'?"),
        (("epochs: 1", "epoch: 1"), "core: unknown key 'epoch'; did you mean 'epochs'?"),
        (("m: 8", "n: 8"), "unknown key 'encoder.n'"),
        (("k: 2", "k: 0"), "k: input should be greater than 0, not 0"),
        (("sigma: [15, 30]", "sigma: [15, 0]"), "arms[1]: sigma: input should be greater than 0"),
        (("sigma: [15, 30]", "bin_width: 7"), "arms[1]: bin_width: a bin width must divide 360, not 7"),
        (("sampler: gaussian", "sampler: gausian"), "no sampler 'gausian'; did you mean 'gaussian'?"),
        (("sampler: gaussian", "samplr: gaussian"), "arms[1]: sampler is missing"),
        (("baseline: random", "baseline: rand"), "baseline 'rand' is no arm; did you mean 'random'?"),
        (("sigma: [15, 30]", "sigma: [15, 15]"), "two arms are called 'gaussian(sigma=15)'"),
        (("title: A tiny study\n", ""), "title is missing"),
        (("seeds: 2", "seeds: 0"), "seeds: input should be greater than 0"),
        (("arms:", "arms: ["), "not valid YAML"),
        (("k: 2", "references: pool, pool_size: 2, k: 2"), "pool_size must be above k = 2"),
        (("sigma: [15, 30]", "label: '{width}'"), "label '{width}' names a parameter this arm does not have"),
    ],
)
def test_mistakes_are_explained(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    assert change[0] in TINY
    with pytest.raises(InputError, match=re.escape(message)) as error:
        load(tmp_path, TINY.replace(*change))
    assert str(tmp_path / "study.yaml") in str(error.value)
    assert "\n" not in str(error.value)


def test_unknown_names() -> None:
    with pytest.raises(InputError, match="no study 'gaussian_sigmas'; did you mean 'gaussian_sigma'"):
        load_study("gaussian_sigmas", "standard")
    with pytest.raises(InputError, match="no preset 'standrad'; did you mean 'standard'"):
        load_study("gaussian_sigma", "standrad")
    with pytest.raises(InputError, match="cannot read this study file"):
        load_study("missing.yaml", "standard")


def test_yaml_runs_no_code(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    with pytest.raises(InputError, match="not valid YAML"):
        load(tmp_path, TINY + f"x: !!python/object/apply:os.system ['touch {marker}']\n")
    assert not marker.exists()


def test_merge_goes_into_sections() -> None:
    assert merge({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"c": 4}, "d": {"e": 5}}) == {
        "a": {"b": 1, "c": 4},
        "d": {"e": 5},
    }
