"""What a sampler may not do in a training."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from samplers.base import Sampler
from samplers.contract.tools import seeded, synthetic_poses
from samplers.gaussian import Gaussian
from samplers.support.recorder import Recorder, SamplerError

POSES = synthetic_poses(20)


class Faulty(Sampler):
    """Does what its fault says, and is right otherwise."""

    name = "faulty"
    fault: str = ""

    def fit(self, poses, progress):
        super().fit(poses, progress)
        if self.fault == "fit":
            raise SystemExit(0)

    def draw(self, query, k, generator):
        others = (query.index[:, None] + 1 + torch.arange(k)) % len(self.candidates)
        if self.fault == "interrupt":
            raise KeyboardInterrupt
        if self.fault == "missing":
            return {}["missing"]
        if self.fault == "candidates":
            self.candidates.angles[:, 0].zero_()
        if self.fault == "query":
            query.angles.add_(1)
        return {
            "": others,
            "itself": query.index[:, None].expand(-1, k),
            "high": others + len(self.candidates),
            "low": others - len(self.candidates),
            "float": others.float(),
            "list": others.tolist(),
            "shape": others[:, 1:],
        }.get(self.fault, others)


def drawn(fault: str) -> torch.Tensor:
    recorder = Recorder(Faulty(fault=fault), len(POSES))
    recorder.fit(POSES, 0.0)
    return recorder.draw(POSES[torch.arange(5)], 3, seeded(0))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("itself", "drew 5 of 5 inputs as their own reference, with 20 candidates"),
        ("high", "drew positions 21 to 27; its candidates are 0 to 19"),
        ("low", "drew positions -19 to"),
        ("float", "drew a torch.float32"),
        ("list", "drew a list"),
        ("shape", r"shape \(5, 2\), not \(5, 3\)"),
        ("candidates", "changed its candidates"),
        ("query", "changed its candidates or the query"),
        ("missing", rf"'missing' \({Path(__file__).name}, line \d+\)"),
        ("fit", rf"0 \({Path(__file__).name}, line \d+\)"),
    ],
)
def test_breach_of_the_contract_is_named(fault: str, words: str) -> None:
    with pytest.raises(SamplerError, match=words) as raised:
        drawn(fault)
    kinds = {"missing": "KeyError", "fit": "SystemExit"}
    assert raised.value.kind == kinds.get(fault, "ValueError")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda weights: weights * torch.nan, "NaN"),
        (lambda weights: weights[0], r"shape \(18,\), not \(5, 18\): a row an input"),
        (lambda weights: weights[:1], r"shape \(1, 18\)"),
        (lambda weights: weights[:, :1], r"shape \(5, 1\)"),
        (lambda weights: weights[:, 1:], r"shape \(5, 17\)"),
        (lambda weights: weights.long(), "torch.int64"),
        (lambda _: None, "NoneType"),
    ],
)
def test_wrong_log_weights_are_named(
    change: Callable[[torch.Tensor], object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Gaussian.log_weights
    monkeypatch.setattr(Gaussian, "log_weights", lambda *call: change(right(*call)))
    recorder = Recorder(Gaussian(), len(POSES))
    recorder.fit(POSES, 0.0)
    with pytest.raises(SamplerError, match=f"log_weights returns .*{words}"):
        recorder.draw(POSES[torch.arange(5)], 3, seeded(0))


def test_an_error_in_log_weights_is_named_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gaussian, "log_weights", lambda *_: {}["missing"])
    recorder = Recorder(Gaussian(), len(POSES))
    recorder.fit(POSES, 0.0)
    with pytest.raises(SamplerError, match="missing") as raised:
        recorder.draw(POSES[torch.arange(5)], 3, seeded(0))
    assert raised.value.kind == "KeyError"


def test_interrupt_is_no_error_of_the_sampler() -> None:
    with pytest.raises(KeyboardInterrupt):
        drawn("interrupt")


def test_training_keeps_its_poses_whatever_the_sampler_does_to_its_candidates() -> None:
    before = POSES.angles.clone()
    with pytest.raises(SamplerError):
        drawn("candidates")
    assert torch.equal(POSES.angles, before)


def test_an_only_candidate_may_be_the_input_itself() -> None:
    one = POSES[torch.arange(1)]
    recorder = Recorder(Gaussian(), 1)
    recorder.fit(one, 0.0)
    assert recorder.draw(one, 2, seeded(0)).tolist() == [[0, 0]]


def test_a_state_holds_tensors_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Faulty, "state", lambda _: {"count": 3})
    with pytest.raises(SamplerError, match="count"):
        Recorder(Faulty(), len(POSES)).state()
