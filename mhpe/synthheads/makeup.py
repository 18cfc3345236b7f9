"""Brows, lid lines, nostrils and the line of the mouth: too fine for the head's vertices, so drawn by pixel."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mhpe.synthheads.appearance import stack
from mhpe.synthheads.head_model import smoothstep
from mhpe.synthheads.population import Person, Shot
from mhpe.synthheads.varied import draw_details

EYE_X, EYE_Y, LIP_Y = 0.306, 0.004, 0.705
"""Centres of the eyes and of the lips on the mean head, decimetres right of and below the head's centre."""


def draw_makeup(
    colour: Tensor, place: Tensor, skin: Tensor, persons: Sequence[Person], shots: Sequence[Shot]
) -> Tensor:
    """Darken what is darker than skin in images (B, S, S, 3) of linear RGB.

    ``place`` (B, S, S, 2) are the left and down coordinates, on the mean head, of each pixel's content; ``skin``
    (B, S, S) is the share of a pixel that shows the skin of the face's front, in [0, 1].
    """
    x, y = place.unbind(-1)
    ax = x.abs()

    def person(values: Sequence[float]) -> Tensor:
        return stack(values)[:, None, None]

    height, thickness, arch = (person([p.brow_shape[i] for p in persons]) for i in range(3))
    from_eye = (ax - EYE_X) / 0.26  # -1 at the nose, 1 at the temple
    brow_y = EYE_Y - height - arch * (1 - (from_eye - 0.25).square())
    taper = thickness * (1 - 0.45 * smoothstep(-0.2, 1.0, from_eye))
    brow = smoothstep(1.3, 0.5, ((y - brow_y) / taper).abs()) * smoothstep(-1.0, -0.75, from_eye)
    brow = brow * smoothstep(1.05, 0.8, from_eye) * person([p.brows for p in persons])

    lid_y = EYE_Y - 0.005 - 0.085 * (1 - ((ax - EYE_X) / 0.17).square())
    lid = smoothstep(0.035, 0.01, (y - lid_y).abs()) * smoothstep(0.17, 0.13, (ax - EYE_X).abs())
    lid = lid * person([s.eyelid_line for s in shots])
    nostril = torch.exp(-(((ax - 0.09) / 0.045).square() + ((y - 0.49) / 0.03).square()))
    mouth = smoothstep(0.03, 0.008, (y - LIP_Y).abs()) * smoothstep(0.27, 0.2, ax)

    hair, tone = stack([p.hair for p in persons]), stack([p.skin for p in persons])
    brow_tint = ((0.4 * hair + 0.04 * tone) / tone).clamp(0.04, 0.8)[:, None, None]
    line_tint = colour.new_tensor([0.22, 0.15, 0.14])
    for weight, tint in ((brow, brow_tint), (lid, line_tint), (0.9 * nostril, line_tint), (0.8 * mouth, line_tint)):
        strength = (weight * skin)[..., None]
        colour = colour * (1 - strength + strength * tint)
    return draw_details(colour, place, skin, persons, shots) if persons[0].varied else colour
