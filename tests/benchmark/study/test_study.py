"""Study files: grids, labels, and errors that say what would be right."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from benchmark.study.arms import merge
from benchmark.study.grid import make_plan
from benchmark.study.presets import PRESETS
from benchmark.study.protocols import described
from benchmark.study.study import load_study
from benchmark.study.study_file import study_names
from benchmark.study.trial import Trial
from mhpe.config import CORES, CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.errors import InputError
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
    assert all(described(protocol) for protocol in study.file.protocols)


SLIDES = {
    "bins": [("bins", {"bin_width": width}) for width in (10, 20, 40, 60)],
    "gaussian_sigma": [("gaussian", {"bin_width": 20, "sigma": sigma}) for sigma in (15, 20, 30, 37.5, 45)],
    "reverse_gaussian": [("reverse_gaussian", {"bin_width": 20, "sigma": sigma}) for sigma in (20, 30, 45)],
    "uniform": [("uniform", {"bin_width": 20, "order": "first"})],
    "conclusion": [
        ("bins", {"bin_width": 20}),
        ("gaussian", {"bin_width": 20, "sigma": 30}),
        ("reverse_gaussian", {"bin_width": 20, "sigma": 45}),
        ("uniform", {"bin_width": 20, "order": "first"}),
    ],
}
"""The tables of the slides: the arms below the baseline, in order."""


def published(sampler: str) -> dict[str, str]:
    """How the slides treat what leaves a choice."""
    rounding = {"rounding": "largest_remainder"} if "gaussian" in sampler else {}
    return {"empty_bin": "nearest"} | rounding


@pytest.mark.parametrize("name", SLIDES)
def test_studies_of_the_slides_have_exactly_their_arms(name: str) -> None:
    study = load_study(name, "standard")
    assert [(arm.sampler.name, arm.sampler.model_dump()) for arm in study.arms] == [
        ("random", {}),
        *((sampler, parameters | published(sampler)) for sampler, parameters in SLIDES[name]),
    ]
    assert {arm.core for arm in study.arms} == {CoreConfig()}
    assert {arm.seed_offset for arm in study.arms} == {0}
    assert set(study.definition["baselines"].values()) == {"random"}


def trainings(name: str, preset: str) -> dict[str, tuple]:
    """What a trial's key follows of each arm, by label."""
    return {
        arm.label: (type(arm.sampler), arm.sampler.model_dump_json(), arm.core, arm.seed_offset)
        for arm in load_study(name, preset).arms
    }


FROM_SCRATCH = {"encoder", "heads", "losses", "pretrained"}
"""Studies whose core says ``init: random``."""
OTHERWISE = {
    "confirmation",
    "controls",
    "flat_density",
}
"""Studies whose seeds are fresh or whose random references are another training for their own reasons."""


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_shared_arms_train_once_for_all_studies(preset: str) -> None:
    baseline = trainings("gaussian_sigma", preset)["random"]
    core = CoreConfig.model_validate(PRESETS[preset].core)
    exceptions = set(OTHERWISE)
    if core.init == "synthheads":
        exceptions |= FROM_SCRATCH
    if core.references != "exact":
        exceptions |= {"beyond", "mining"}
    if core.k not in {1, 2, 4, 8, 16}:
        exceptions |= {"references"}
    for name in set(study_names()) - exceptions:
        assert baseline in trainings(name, preset).values(), name
    assert trainings("conclusion", preset)["gaussian"] == trainings("gaussian_sigma", preset)["gaussian 30"]
    assert trainings("corrected", preset)["uniform"] == trainings("uniform", preset)["uniform"]
    assert trainings("corrected", preset)["reverse_gaussian 45"] == trainings("conclusion", preset)["reverse_gaussian"]
    assert trainings("noise", preset)["gaussian, c 0.1"] == trainings("supervision", preset)["gaussian"]


def test_random_has_one_key_in_all_studies_of_the_slides() -> None:
    assert len({Trial(load_study(name, "standard").arms[0], "set", "f" * 64, 0).key for name in SLIDES}) == 1


def test_arms_of_another_core_are_compared_with_random_of_that_core() -> None:
    for name, setting in (("noise", "noise_c"), ("references", "k"), ("supervision", "reference_weight")):
        study = load_study(name, "standard")
        arms = {arm.label: arm for arm in study.arms}
        for arm in study.arms:
            baseline = arms[study.definition["baselines"][arm.label]]
            assert baseline.sampler.name == "random"
            if arm.sampler.name != "random":
                assert getattr(baseline.core, setting) == getattr(arm.core, setting)
    assert {arm.core.noise_c for arm in load_study("noise", "standard").arms} == {0, 0.05, 0.1, 0.2, 0.5}
    assert {arm.core.k for arm in load_study("references", "standard").arms} == {1, 2, 4, 8, 16}


def test_aa_trains_one_arm_with_seeds_that_never_meet() -> None:
    study = load_study("aa", "standard")
    assert {(arm.sampler, arm.core) for arm in study.arms} == {(study.arms[0].sampler, CoreConfig())}
    offsets = [arm.seed_offset for arm in study.arms]
    assert offsets[0] == 0
    assert min(b - a for a, b in itertools.pairwise(offsets)) >= 100
    assert len(set(trainings("aa", "standard").values())) == len(study.arms)


def test_seed_offsets_change_seeds_and_nothing_else(tmp_path: Path) -> None:
    text = TINY + "  - {sampler: random, seed_offset: 7, label: again}\n"
    study = load(tmp_path, text)
    nothing = np.zeros((0, 32, 32, 3), np.uint8)
    data = HeadPoseSet("set", tmp_path, nothing, np.eye(3)[:0], np.eye(3)[:0], (), np.arange(0), "f" * 64, {})
    plan = make_plan(study, dict.fromkeys(study.protocols, study.arms), 2, lambda name, size: data)
    again = [(cell.seed, plan.trials[cell.trial]) for cell in plan.cells if cell.arm == "again"]
    assert [(seed, trial.seed) for seed, trial in again] == [(0, 7), (1, 8)]
    first = plan.trials[plan.cells[0].trial]
    assert again[0][1].identity == first.identity | {"seed": 7}
    # seed by seed all the same
    assert [trial.seed - trial.arm.seed_offset for trial in plan.trials.values()] == [0] * 4 + [1] * 4


def test_baselines_of_arms_are_filled_in(tmp_path: Path) -> None:
    text = TINY + (
        "  - {sampler: random, core: {k: [3, 4]}, label: 'random {k}'}\n"
        "  - {sampler: bins, core: {k: [3, 4]}, label: 'bins {k}', baseline: 'random {k}'}\n"
    )
    baselines = load(tmp_path, text).definition["baselines"]
    assert baselines["bins 3"] == "random 3"
    assert baselines["bins 4"] == "random 4"
    assert baselines["random 4"] == baselines["gaussian(sigma=15)"] == "random"


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
    assert study.select(()) == study.arms
    chosen = study.select(("gaussian",))
    assert [arm.label for arm in chosen] == [
        "gaussian(sigma=15)",
        "gaussian(sigma=30)",
    ]
    chosen = study.select(("random", "gaussian(sigma=30)"))
    assert [arm.label for arm in chosen] == [
        "random",
        "gaussian(sigma=30)",
    ]
    with pytest.raises(InputError, match="no arm 'gausian'; did you mean 'gaussian'"):
        study.select(("gausian",))


def test_own_samplers_are_found_beside_the_study(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from samplers.random import Random\nclass Mine(Random):\n    '''Mine.'''\n    name = 'mine'\n"
    )
    study = load(tmp_path, TINY + "  - sampler: mine\nsampler_files: [mine.py]\n")
    assert study.arms[-1].sampler_file == tmp_path / "mine.py"
    assert study.definition["samplers"] == ["mine.py"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("seeds: 2", "seed: 2"), "unknown key 'seed'; did you mean 'seeds'?"),
        (("arms:", "armz:"), "unknown key 'armz'; did you mean 'arms'?"),
        (("seeds: 2", "sampler_files: [gone.py]"), "sampler_files: no file "),
        (("seeds: 2", "samplers: [mine.py]"), "unknown key 'samplers'; did you mean 'sampler_files'?"),
        (("epochs: 1", "epoch: 1"), "core: unknown key 'epoch'; did you mean 'epochs'?"),
        (("m: 8", "n: 8"), "unknown key 'encoder.n'"),
        (("k: 2", "k: [4, 8]"), "core: k: must be a valid integer, not [4, 8]"),
        (("k: 2", "k: -1"), "k: must be greater than or equal to 0, not -1"),
        (("sigma: [15, 30]", "sigma: [15, 0]"), "arms[1]: sigma: must be greater than 0"),
        (("sigma: [15, 30]", "bin_width: 7"), "arms[1]: bin_width: a bin width must divide 360, not 7"),
        (("sampler: gaussian", "sampler: gausian"), "no sampler 'gausian'; did you mean 'gaussian'?"),
        (("sampler: gaussian", "samplr: gaussian"), "arms[1]: sampler is missing"),
        (("baseline: random", "baseline: rand"), "baseline 'rand' is no arm; did you mean 'random'?"),
        (("sigma: [15, 30]", "sigma: [15, 15.0]"), "sigma: 15.0 is in the list twice"),
        (("sigma: [15, 30]", "sigma: [15, '15']"), "two arms are called 'gaussian(sigma=15)'"),
        (("sigma: [15, 30]", "sigma: []"), "sigma: an empty list"),
        (("sigma: [15, 30]", "core: {k: []}"), "core: k: an empty list"),
        (("sigma: [15, 30]", f"sigma: {list(range(1, 1002))}"), "1001 arms; at most 1000"),
        (("sigma: [15, 30]", "sigma: 1:30"), "sigma: must be a valid number"),
        (("sigma: [15, 30]", "sigma: true"), "sigma: a number is wanted, not True"),
        (("sigma: [15, 30]", "sigma: 15\n    label: ''"), "label is empty"),
        (("sigma: [15, 30]", "sigma: 15\n    label: true"), "label: must be a valid string, not True"),
        (("sigma: [15, 30]", "sigma: 15\n    label:"), "label: must be a valid string, not None"),
        (("sigma: [15, 30]", "bin_width: 1.0e-9"), "bin_width makes 360,000,000,000 groups"),
        (("sigma: [15, 30]", "sigma: 15\n    label: 1.10"), "label: must be a valid string, not 1.1"),
        (("sigma: [15, 30]", r'label: "a\e[31mb"'), "label 'a\\x1b[31mb' holds a control character"),
        (("sigma: [15, 30]", f"label: {'x' * 201}"), "201 characters long"),
        (("A tiny study", r'"a\e[31mb"'), "title 'a\\x1b[31mb' holds a control character"),
        (("question: Does it run?", "question: ''"), "question is empty"),
        (("[aflw2000_to_biwi]", "[synth_1, synth_2, synth_1]"), "protocol 'synth_1' is named twice"),
        (("[aflw2000_to_biwi]", "synth_1"), "protocols: must be a valid list, not 'synth_1'"),
        (("seeds: 2", "seeds: true"), "seeds: a number is wanted, not True"),
        (
            ("precision: float32", "precision: true"),
            "precision: must be 'auto', 'bfloat16' or 'float32', not True",
        ),
        (("seeds: 2", "seeds: 1000000000"), "seeds: must be less than or equal to 10000"),
        (("seeds: 2", "seeds: 2\nmargin: 1.0e+9"), "margin: must be less than or equal to 180"),
        (("seeds: 2", "synthheads: {train: 1000000000}"), "synthheads: train: must be less than or equal to"),
        (("k: 2", "k: 1000000000"), "core: k: must be less than or equal to"),
        (
            ("k: 2, epochs: 1, batch_size: 16", "k: 10000, batch_size: 4096"),
            "make batch_size, k, pool_size",
        ),
        (("image_size: 32", "image_size: 100000"), "image_size: must be less than or equal to 1024"),
        (("epochs: 1", "epochs: 1000000000"), "epochs: must be less than or equal to"),
        (("m: 8", "m: 1000000000"), "encoder.m: must be less than or equal to"),
        (("m: 8", "backbone: resnet_18"), "no torchvision network 'resnet_18'; did you mean 'resnet18'?"),
        (("title: A tiny study\n", ""), "title is missing"),
        (("seeds: 2", "seeds: 0"), "seeds: must be greater than or equal to 1"),
        (("arms:", "arms: ["), "not valid YAML"),
        (("k: 2", "references: pool, pool_size: 2, k: 2"), "pool_size must be above k = 2"),
        (("sigma: [15, 30]", "label: '{width}'"), "label '{width}' names a parameter this arm does not have"),
        (("sigma: [15, 30]", "baseline: '{width}'"), "baseline '{width}' names a parameter this arm does not have"),
        (("sigma: [15, 30]", "baseline: rand"), "baseline 'rand' is no arm; did you mean 'random'?"),
        (("sigma: [15, 30]", "seed_offset: -1"), "seed_offset.0: must be greater than or equal to 0, not -1"),
        (("sigma: [15, 30]", "seed_offset: [1, x]"), "seed_offset.1: must be a valid integer, not 'x'"),
        (("sigma: [15, 30]", "seed_offset: []"), "seed_offset: an empty list"),
        (("sigma: [15, 30]", "core: 3"), "core: must be a valid mapping (name: value), not 3"),
        (("sigma: [15, 30]", "sigma: 15\n    label: '{sigma.x}'"), "'{sigma.x}' cannot be filled in"),
        (("sigma: [15, 30]", "sigma: 15\n    label: '{sigma[0]}'"), "cannot be filled in"),
        (("sigma: [15, 30]", "sigma: 15\n    label: '{sigma:>999999999}'"), "cannot be filled in"),
        (("sigma: [15, 30]", "sigma: 15\n    label: '{sigma!z}'"), "label '{sigma!z}' cannot be filled in: "),
        (("sigma: [15, 30]", "sigma: 15\n    label: '{sigma'"), "label '{sigma' cannot be filled in: "),
        (("sigma: [15, 30]", f"seed_offset: {10**10}"), "seed_offset.0: must be less than or equal to 1000000000"),
        (("sigma: [15, 30]", "seed_offset: " + "9" * 5000), "not valid YAML: a number is too long"),
        (("sigma: [15, 30]", f"sigma: {'x' * 9000}"), "xxx...xxx"),
        (("m: 8", "backbone_weights: gone.pt"), "encoder: backbone_weights needs backbone"),
        (("m: 8", "backbone: resnet18, backbone_weights: gone.pt"), "encoder.backbone_weights: no file gone.pt"),
        (("k: 2", "k: 2024-13-45"), "not '2024-13-45'"),
        (("k: 2", "k: !!int x"), "not valid YAML: a number is too long"),
        (("k: 2", "k: !!bool x"), "does not fit its tag"),
        (("k: 2", "k: !!timestamp x"), "not valid YAML"),
        (("k: 2", "k: 2, k: 3"), "not valid YAML: line 7: key 'k' is in line 7 already"),
        (("seeds: 2", "seeds: 2\ntitle: Another"), "not valid YAML: line 7: key 'title' is in line 2 already"),
        (("k: 2", f"k: {'[' * 5000}"), "nested too deep"),
        (("k: 2", f"k: {'[' * 50}{']' * 50}"), "not [[[[[["),
        (("k: 2", "1: 2"), "core.1"),
        (("A tiny study", r'"\ud800"'), r"title '\ud800' holds a control character"),
        (("A tiny study", r'"a\0b"'), r"title 'a\x00b' holds a control character"),
    ],
)
def test_mistakes_are_explained(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    assert change[0] in TINY
    with pytest.raises(InputError, match=re.escape(message)) as error:
        load(tmp_path, TINY.replace(*change))
    assert str(tmp_path / "study.yaml") in str(error.value)
    assert "arms[0]" not in str(error.value)  # whose fault none of these is
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_a_file_that_holds_no_weights_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pt").write_bytes(b"")
    weights = f"backbone: resnet18, backbone_weights: {tmp_path / 'empty.pt'}"
    with pytest.raises(InputError, match=r"core: encoder.backbone_weights: .*empty\.pt does not fit: no file of"):
        load(tmp_path, TINY.replace("m: 8", weights))


def test_mappings_can_be_merged_and_dates_are_text(tmp_path: Path) -> None:
    text = TINY.replace("title: A tiny study", "title: 2024-01-01") + (
        "  - &near {sampler: gaussian, sigma: 20}\n  - {<<: *near, sigma: 45, bin_width: 20}\n"
    )
    study = load(tmp_path, text)
    assert study.file.title == "2024-01-01"
    assert [arm.label for arm in study.arms[3:]] == ["gaussian(sigma=20)", "gaussian(sigma=45, bin_width=20)"]


def test_values_mean_what_a_person_reads(tmp_path: Path) -> None:
    text = TINY.replace("sigma: [15, 30]", "sigma: [020, 3e1, 4_5]\n    label: no {sigma}")
    arms = load(tmp_path, "\ufeff" + text).arms
    assert [arm.sampler.model_dump()["sigma"] for arm in arms[1:]] == [20, 30, 45]
    assert [arm.label for arm in arms[1:]] == ["no 20", "no 30.0", "no 45"]
    (arm,) = load(tmp_path, TINY.replace("sigma: [15, 30]", "label: no").replace("  - sampler: random\n", "").replace(
        "baseline: random", "baseline: no")).arms  # fmt: skip
    assert arm.label == "no"


def test_a_study_in_another_encoding_or_of_an_unfit_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    for encoding in ("utf-16", "latin-1"):
        path.write_bytes(TINY.replace("tiny", "größer").encode(encoding))
        with pytest.raises(InputError, match="UTF-8"):
            load_study(str(path))
    for name in ("..yaml", "a\nb.yaml", "x" * 101 + ".yaml", "a*.yaml"):
        (tmp_path / name).write_text(TINY)
        with pytest.raises(InputError, match="study"):
            load_study(str(tmp_path / name))


def test_more_cells_than_can_be_planned_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(TINY.replace("sigma: [15, 30]", f"sigma: {list(range(1, 1000))}"))
    load_study(str(path), seeds=1000)
    with pytest.raises(InputError, match="1001000 cells"):
        load_study(str(path), seeds=1001)


def test_a_file_of_the_name_is_suggested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.yaml").touch()
    with pytest.raises(InputError, match=r"did you mean own\.yaml"):
        load_study("own")


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


def test_named_cores_go_under_other_changes(tmp_path: Path) -> None:
    core = "core: {like: slides, vector_error: absolute, image_size: 32}"
    text = TINY.replace(next(line for line in TINY.splitlines() if line.startswith("core:")), core)
    arms = load(tmp_path, text + "  - {sampler: random, label: other, core: {like: default, k: 3}}\n").arms
    slides = CORES["slides"]
    assert arms[0].core.vector_error == "absolute" != slides["vector_error"]
    assert arms[0].core.losses.model_dump() == slides["losses"]
    assert (arms[-1].core.vector_error, arms[-1].core.k) == (CoreConfig().vector_error, 3)
    with pytest.raises(InputError, match=r"core: like: no core 'slide'; did you mean 'slides'"):
        load(tmp_path, text.replace("like: slides", "like: slide"))
