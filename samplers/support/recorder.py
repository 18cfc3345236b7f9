"""Watches a sampler while it is used: enforces the contract, names its errors, and counts its draws."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from mhpe.poses import Poses
from samplers.base import Sampler
from samplers.support.diagnostics import BIN_WIDTH, DrawStatistics
from samplers.support.registry import in_one_line, source_file
from samplers.yaw_bins import YawBins, YawBinSampler


class SamplerError(Exception):
    """A sampler raised an error or broke its contract; the message names the last line of its file that ran.

    Attributes:
        kind: name of the error's class.
    """

    def __init__(self, error: BaseException, sampler: Sampler) -> None:
        self.kind = type(error).__name__
        text = in_one_line(error, source_file(type(sampler)))
        super().__init__(text.removeprefix(self.kind).removeprefix(":").strip())


class Recorder:
    """Takes a sampler's place in a training, and counts its draws in ``statistics``.

    Its methods raise a :class:`SamplerError` for any error of the sampler except a KeyboardInterrupt, and for draws
    that break the contract.
    """

    def __init__(self, sampler: Sampler, images: int, device: torch.device | str = "cpu") -> None:
        self._sampler = sampler
        width = sampler.bin_width if isinstance(sampler, YawBinSampler) else BIN_WIDTH
        self.statistics = DrawStatistics(images, width, device)
        self.observe = self._observe if hasattr(sampler, "observe") else None

    def _observe(self, *step: Any) -> None:
        with self.watched():
            self._sampler.observe(*step)  # type: ignore[attr-defined]

    def state(self) -> dict[str, Tensor]:
        """The sampler's state and the counts so far; nothing if the sampler has no state."""
        with self.watched():
            learned = self._sampler.state()
            if wrong := [name for name, value in learned.items() if not isinstance(value, Tensor)]:
                raise TypeError(f"state() must hold tensors; {wrong[0]} is none")
        counted = self.statistics.state() if learned else {}
        return {f"learned.{name}": value for name, value in learned.items()} | {
            f"counted.{name}": value for name, value in counted.items()
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take over what :meth:`state` gave."""
        learned, counted = (
            {name.removeprefix(part): value for name, value in state.items() if name.startswith(part)}
            for part in ("learned.", "counted.")
        )
        with self.watched():
            self._sampler.load_state(learned)
        self.statistics.load_state(counted)

    def fit(self, poses: Poses, progress: float) -> None:
        """Fit the sampler to a copy of the poses."""
        self._candidates = poses
        # A copy: what a sampler writes into it must not become the labels of the training.
        self._copy = Poses(*(values.clone() for values in vars(poses).values()))
        with self.watched(self._copy):
            self._sampler.fit(self._copy, progress)

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """Draw as the sampler does, (B, k)."""
        sampler, requested = self._sampler, None
        with self.watched(self._copy, query):
            if isinstance(sampler, YawBinSampler) and type(sampler).draw is YawBinSampler.draw:
                drawn, requested = self._draw_by_bins(sampler, query, k, generator)
            else:
                drawn = sampler.draw(query, k, generator)
            if wrong := wrong_draws(drawn, query, self._candidates, k):
                raise ValueError(wrong)
        self.statistics.add(query, self._candidates, drawn, requested)
        return drawn

    def _draw_by_bins(
        self, sampler: YawBinSampler, query: Poses, k: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Draws (B, k) and requested counts (B, bins); an error says what is wrong with the log-weights, if any."""
        try:
            requested = sampler.requested_counts(query, k, generator)
            if wrong := wrong_shape(requested, (len(query), self.statistics.bins.count)):
                raise ValueError(f"requested_counts returns {wrong}")
            return sampler.draw_requested(query, requested, k, generator), requested
        except Exception as error:
            try:
                wrong = wrong_log_weights(sampler, query)
            except Exception:
                wrong = ""  # the first error says more
            if not wrong:
                raise
            raise ValueError(wrong) from error

    @contextmanager
    def watched(self, *poses: Poses) -> Iterator[None]:
        """Context for the sampler's own code, which must not change the poses."""
        versions = _versions(poses)
        try:
            yield
            if _versions(poses) != versions:
                raise ValueError("the sampler changed its candidates or the query in place; it must work on a copy")
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a sampler may call sys.exit
            raise SamplerError(error, self._sampler) from error


def wrong_draws(drawn: object, query: Poses, candidates: Poses, k: int) -> str:
    """What is wrong with draws, as far as it costs next to nothing to check; empty if nothing is."""
    if not isinstance(drawn, Tensor) or drawn.dtype != torch.int64:
        kind = drawn.dtype if isinstance(drawn, Tensor) else type(drawn).__name__
        return f"the sampler drew a {kind}, not a tensor of torch.int64"
    if drawn.shape != (len(query), k):
        return f"the sampler drew a tensor of shape {tuple(drawn.shape)}, not ({len(query)}, {k})"
    return out_of_range(drawn, candidates) or own_references(drawn, candidates, query)


def wrong_log_weights(sampler: YawBinSampler, query: Poses) -> str:
    """What is wrong with a fitted sampler's log-weights; empty if they are as they should be."""
    bins = YawBins(sampler.bin_width, query.device)
    log_weights: object = sampler.log_weights(query, bins)
    if wrong := wrong_shape(log_weights, (len(query), bins.count)):
        return f"log_weights returns {wrong}: a row an input, a column a bin"
    assert isinstance(log_weights, Tensor)
    if not log_weights.is_floating_point():
        return f"log_weights returns {log_weights.dtype}, not floating point numbers"
    if not log_weights.logsumexp(1).isfinite().all():
        return "log_weights returns NaN, inf, or -inf for all bins of an input"
    return ""


def wrong_shape(result: object, shape: tuple[int, int]) -> str:
    """What a method returned instead of a tensor of a shape; empty if it is one."""
    if not isinstance(result, Tensor):
        return f"{type(result).__name__}, not a tensor of shape {shape}"
    return "" if result.shape == shape else f"a tensor of shape {tuple(result.shape)}, not {shape}"


def out_of_range(drawn: Tensor, candidates: Poses) -> str:
    """What is wrong with draws (B, K) that are no positions in the candidates; empty if all are."""
    low, high = (int(value) for value in torch.aminmax(drawn))
    right = low >= 0 and high < len(candidates)
    return "" if right else f"the sampler drew positions {low} to {high}; its candidates are 0 to {len(candidates) - 1}"


def own_references(drawn: Tensor, candidates: Poses, query: Poses) -> str:
    """How many inputs are among their own references (B, K) though there are others; empty for none."""
    count = int((candidates.index[drawn] == query.index[:, None]).any(1).sum())
    if count == 0 or len(candidates) == 1:
        return ""
    return f"the sampler drew {count} of {len(query)} inputs as their own reference, with {len(candidates)} candidates"


def _versions(all_poses: tuple[Poses, ...]) -> list[int]:
    """PyTorch's counts of the changes in place of each tensor."""
    return [values._version for poses in all_poses for values in vars(poses).values()]
