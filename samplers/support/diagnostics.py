"""Numbers on a sampler's draws, counted during a training or without one."""

from typing import Any

import torch
from torch import Tensor

from mhpe.poses import Poses
from mhpe.rotations import geodesic_degrees
from samplers.yaw_bins import YawBins

DISTANCE_WIDTH = 5.0  # width of a bar in the histogram of distances, degrees
YAW_WIDTH = 10.0  # width of a bar in the histograms of yaw, degrees
BIN_WIDTH = 20.0  # yaw bins in which the draws of a sampler without bins are counted, degrees
BATCHES_AT_ONCE = 64  # batches that are counted together


class DrawStatistics:
    """Counts draws on the device they are made on; nothing waits for the device before :meth:`summary`.

    Args:
        images: number of images in the training set.
        bin_width: of the yaw bins in which requested and achieved references are counted, degrees.
        device: of the draws.
    """

    def __init__(self, images: int, bin_width: float = BIN_WIDTH, device: torch.device | str = "cpu") -> None:
        self.bins = YawBins(bin_width, device)
        self._bars = YawBins(YAW_WIDTH, device)
        self._waiting: list[tuple[Tensor, ...]] = []
        self._times = _zeros(images, device)  # each image was drawn
        self._distances = _zeros(round(180 / DISTANCE_WIDTH), device)
        self._distance_sum = torch.zeros((), dtype=torch.float64, device=device)
        self._input_yaw = _zeros(self._bars.count, device)
        self._reference_yaw = _zeros(self._bars.count, device)
        self._binned_inputs = _zeros(self.bins.count, device)
        self._achieved = _zeros(self.bins.count, device)
        self._requested = _zeros(self.bins.count, device)
        self._fell_back = _zeros(1, device)

    def state(self) -> dict[str, Tensor]:
        """All counts, for a checkpoint."""
        self._count_waiting()
        return {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take over what :meth:`state` gave."""
        for name, counts in self.state().items():
            counts.copy_(state[name])

    def add(self, query: Poses, candidates: Poses, drawn: Tensor, requested: Tensor | None = None) -> None:
        """Add a batch of B inputs to the counts.

        ``drawn`` (B, K) are positions in the candidates, K the same for all batches; ``requested`` (B, bins) the
        references that each input requested from each bin, for a sampler with bins.
        """
        batch = (
            query.rotations,
            query.yaw,
            candidates.rotations[drawn],
            candidates.yaw[drawn],
            candidates.index[drawn],
        )
        self._waiting.append(batch if requested is None else (*batch, requested))
        if len(self._waiting) == BATCHES_AT_ONCE:
            self._count_waiting()

    def _count_waiting(self) -> None:
        """Count many batches in one go: a training step is too short for a dozen operations more."""
        if not self._waiting:
            return
        rotations, input_yaw, drawn_rotations, yaw, image, *requested = map(torch.cat, zip(*self._waiting, strict=True))
        self._waiting.clear()
        _count(self._times, image)
        distance = geodesic_degrees(rotations[:, None], drawn_rotations)
        self._distance_sum += distance.sum(dtype=torch.float64)
        _count(self._distances, (distance / DISTANCE_WIDTH).long().clamp_max(len(self._distances) - 1))

        _count(self._input_yaw, self._bars.of(input_yaw))
        _count(self._reference_yaw, self._bars.of(yaw))
        _count(self._binned_inputs, self.bins.of(input_yaw))
        achieved = self.bins.of(yaw)
        _count(self._achieved, achieved)
        if requested:
            self._requested += requested[0].sum(0)
            missed = requested[0].scatter_add(1, achieved, -torch.ones_like(achieved)).clamp_min(0)
            self._fell_back += missed.sum()

    def summary(self) -> dict[str, Any]:
        """All numbers, as JSON knows them; shares are of 1, angles in degrees.

        Returns:
            A mapping with

            - ``inputs``, ``references``: how many were counted.
            - ``effective_references``: ``1 / sum(w^2)`` over images, w an image's share of all references.
              The sum is estimated without bias, as the share of pairs of references that are one image, so
              that the number of draws does not bound it; None if no image was drawn twice.
            - ``coverage``: share of the training set drawn at least once; it grows with ``references``.
            - ``fallback_share``: share of references that came from another bin than was requested; None
              for a sampler without bins.
            - ``bins``: ``width``, and lists over the yaw bins from -180 on: the share of the ``inputs``, mean
              ``requested`` (None for a sampler without bins) and mean ``achieved`` references of an input.
            - ``distance``: geodesic distance of input and reference: ``mean``, and ``shares`` of
              references in bars of ``width`` from 0 on.
            - ``yaw``: shares of ``inputs`` and ``references`` in bars of ``width`` from -180 on. An epoch's
              inputs are the training set as the epoch shows it.
        """
        self._count_waiting()
        inputs, references = int(self._binned_inputs.sum()), int(self._times.sum())
        requests_known = bool(self._requested.any())
        times = self._times.double()
        pairs = float((times * (times - 1)).sum())
        return {
            "inputs": inputs,
            "references": references,
            "effective_references": _rounded(references * (references - 1) / pairs) if pairs else None,
            "coverage": _rounded(float((times > 0).double().mean())),
            "fallback_share": _shares(self._fell_back, references)[0] if requests_known else None,
            "bins": {
                "width": self.bins.width,
                "inputs": _shares(self._binned_inputs, inputs),
                "requested": _shares(self._requested, inputs) if requests_known else None,
                "achieved": _shares(self._achieved, inputs),
            },
            "distance": {
                "width": DISTANCE_WIDTH,
                "mean": _rounded(float(self._distance_sum) / references),
                "shares": _shares(self._distances, references),
            },
            "yaw": {
                "width": YAW_WIDTH,
                "inputs": _shares(self._input_yaw, inputs),
                "references": _shares(self._reference_yaw, references),
            },
        }


def _zeros(count: int, device: torch.device | str) -> Tensor:
    return torch.zeros(count, dtype=torch.int64, device=device)


def _count(counts: Tensor, where: Tensor) -> None:
    """Add one for each place; unlike ``bincount`` it does not wait for the device."""
    where = where.flatten()
    counts.scatter_add_(0, where, torch.ones_like(where))


def _shares(counts: Tensor, total: int) -> list[float]:
    return [_rounded(count / total) for count in counts.tolist()]


def _rounded(value: float) -> float:
    return round(value, 6)
