"""A warm start in a study: its file is in the key, and it is refused where test persons would be known."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.study.presets import PRESETS, describe
from benchmark.study.study import load_study
from benchmark.study.trial import Trial
from mhpe.errors import InputError
from mhpe.names import SETS
from mhpe.synthheads.sets import PRETRAINING_SEED, SynthConfig, SynthSet

PRETRAINING = Path(__file__).parents[3] / "tools" / "pretraining" / "pretraining.yaml"
STUDY = """
title: Warm
question: Warm?
baseline: random
protocols: [{protocol}]
core: {core}
arms: [{{sampler: random}}]
"""


def study(tmp_path: Path, protocol: str, core: str = "{init: synthheads}"):
    path = tmp_path / "warm.yaml"
    path.write_text(STUDY.format(protocol=protocol, core=core))
    return load_study(str(path), "standard")


def test_the_shipped_weights_are_in_the_key(tmp_path: Path, monkeypatch) -> None:
    (arm,) = study(tmp_path, "aflw2000_validation").arms
    key = Trial(arm, "set", "f" * 64, 0).key
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"another network")
    monkeypatch.setattr("benchmark.study.arms.PRETRAINED", other)
    assert Trial(replace(arm), "set", "f" * 64, 0).key != key


@pytest.mark.parametrize("protocol", ["synth_1", "synth_2", "synth_train_validation"])
def test_the_persons_of_the_pretraining_are_refused(tmp_path: Path, protocol: str) -> None:
    seed = f"{{init: synthheads}}\nsynthheads: {{seed: {PRETRAINING_SEED}}}"
    with pytest.raises(InputError, match=f"synthheads.seed.*{PRETRAINING_SEED}.*{protocol}"):
        study(tmp_path, protocol, seed)
    assert study(tmp_path, protocol).arms  # with persons of the default seed
    assert study(tmp_path, "aflw2000_validation", seed).arms  # shows no rendered head


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_no_person_of_a_study_is_in_the_pretraining(name: str) -> None:
    def shapes(name: str, seed: int) -> set[bytes]:
        heads = SynthSet(name, SynthConfig(seed=seed), 16)
        numbers = range(0, heads.config.count(name), 25)
        return {heads.scene(number).person.identity.tobytes() for number in numbers}

    known = shapes("synth_train", PRETRAINING_SEED)
    assert len(known) > 600
    assert not known & shapes(name, SynthConfig().seed)


def test_the_shipped_network_was_trained_on_the_reserved_seed() -> None:
    assert load_study(str(PRETRAINING)).synthheads.seed == PRETRAINING_SEED


@pytest.mark.parametrize(
    ("name", "protocol", "preset"),
    [
        ("gaussian_sigma", "synth_1", "tiny"),
        ("heads", "synth_1", "quick_scratch"),  # other heads have no pretrained weights
        ("encoder", "synth_2", "quick_scratch"),
        ("heads", "aflw2000_validation", "standard"),
        ("gaussian_sigma", "synth_to_biwi", "standard"),
    ],
)
def test_default_presets(name: str, protocol: str, preset: str) -> None:
    study = load_study(name, protocols=(protocol,))
    assert study.preset == preset
    warm = preset == "tiny"
    assert {arm.core.init for arm in study.arms} == {"synthheads" if warm else "random"}
    assert ("fine-tune" in describe(PRESETS[preset])) == warm


def test_another_encoder_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"needs encoder\.widths"):
        study(tmp_path, "aflw2000_validation", "{init: synthheads, encoder: {widths: [16, 32]}}")
