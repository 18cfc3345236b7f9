"""A warm start in a study: its file is in the key, and it is refused where it would leak."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.study.study import load_study
from benchmark.study.trial import Trial
from mhpe.errors import InputError

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


@pytest.mark.parametrize("protocol", ["synth_1", "synth_to_biwi", "synth_train_validation"])
def test_a_start_from_the_test_sets_domain_is_refused(tmp_path: Path, protocol: str) -> None:
    with pytest.raises(InputError, match=f"init: synthheads.*{protocol}"):
        study(tmp_path, protocol)


def test_another_encoder_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"needs encoder\.widths"):
        study(tmp_path, "aflw2000_validation", "{init: synthheads, encoder: {widths: [16, 32]}}")
