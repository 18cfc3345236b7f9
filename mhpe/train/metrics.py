"""Errors of predicted rotations, image by image, and their summary."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mhpe.rotations import ANGLES, AXES, geodesic_degrees, to_euler, wrap_degrees


@dataclass(frozen=True)
class Errors:
    """Errors of N images, in degrees.

    Euler angles are wrapped to [0, 180]. (A common script also takes the minimum over a turn by 180 degrees and so
    scores a half-turn as 0; here it scores 180.) Aligned errors use the test labels: they are shown beside the plain
    ones, never instead.
    """

    euler: Tensor  # (N, 3) absolute error of yaw, pitch, roll, as :func:`_euler_errors` finds it
    vectors: Tensor  # (N, 3) angle between predicted and labelled left, down and front axes
    geodesic: Tensor  # (N,) angle of the rotation between prediction and label
    aligned: Tensor  # (N,) the same once the mean rotation between the predicted and the labelled frames is removed


def errors(predicted: Tensor, rotations: Tensor, angles: Tensor) -> Errors:
    """Errors of predicted rotations (N, 3, 3) against labels: rotations (N, 3, 3) and, as stated, angles (N, 3)."""
    import roma  # loads torch._dynamo: seconds

    predicted, rotations = predicted.double(), rotations.double()
    cosines = (predicted * rotations).sum(-2).clamp(-1, 1)
    offset = roma.special_procrustes((predicted.mT @ rotations).mean(0))
    return Errors(
        euler=_euler_errors(predicted, angles.double()),
        vectors=torch.rad2deg(cosines.acos()),
        geodesic=geodesic_degrees(predicted, rotations),
        aligned=geodesic_degrees(predicted @ offset, rotations),
    )


def _euler_errors(predicted: Tensor, angles: Tensor) -> Tensor:
    """Absolute errors of yaw, pitch and roll, (N, 3).

    ``(180 - yaw, pitch + 180, roll + 180)`` is the same rotation as ``(yaw, pitch, roll)``, and :func:`to_euler` gives
    the triple whose yaw is in [-90, 90]. Against a label beyond 90 that one would be half-turns of pitch and roll away
    even where the prediction is perfect.
    """
    found = to_euler(predicted)
    near = wrap_degrees(found - angles).abs()
    other = wrap_degrees(found * found.new_tensor([-1, 1, 1]) + 180 - angles).abs()
    turned = (angles[:, 0].abs() > 90) & (other.sum(1) < near.sum(1))
    return torch.where(turned[:, None], other, near)


def summary(errors: Errors) -> dict[str, float]:
    """Mean errors by the field's names, in degrees.

    The keys are yaw, pitch, roll, mae (their mean), left, down, front, maev (their mean), geodesic_mean,
    geodesic_median and aligned_mean.
    """
    result = dict(zip(ANGLES, errors.euler.mean(0).tolist(), strict=True))
    result["mae"] = errors.euler.mean().item()
    result |= dict(zip(AXES, errors.vectors.mean(0).tolist(), strict=True))
    result["maev"] = errors.vectors.mean().item()
    result["geodesic_mean"] = errors.geodesic.mean().item()
    result["geodesic_median"] = errors.geodesic.median().item()
    result["aligned_mean"] = errors.aligned.mean().item()
    return result
