"""The varied appearance: what photographs show more of than the standard one (``docs/data.md``).

Eyes that look at the camera whatever the head does, lids that follow them, long hair and locks over the face, teeth,
sunglasses, hard and weak light, stronger shapes. Poses and labels are those of the standard appearance.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mhpe.synthheads.appearance import stack
from mhpe.synthheads.head_model import HeadModel, smoothstep
from mhpe.synthheads.population import STYLES, Person, Shot

STYLE_SHARES = (0.03, 0.12, 0.29, 0.19, 0.34, 0.03)
LOCKS = 3
LENSES_AT = (0.306, 0.01)  # middle of a lens, decimetres beside and below the head's centre


def vary_person(rng: np.random.Generator, person: Person) -> Person:
    """The person with a stronger shape, other hair and perhaps dark lenses."""
    style = str(rng.choice(STYLES, p=STYLE_SHARES))
    haired = style in ("short", "full", "long")
    locks = np.column_stack(
        (
            rng.uniform(-0.75, 0.75, LOCKS),  # where a lock starts, right of the middle
            rng.normal(0, 0.45, LOCKS),  # its slope
            rng.normal(0, 0.4, LOCKS),  # its bend
            rng.uniform(0.01, 0.07, LOCKS) * (rng.random(LOCKS) < (0.3 if haired else 0)),  # half its width
            rng.uniform(-0.3, 0.9, LOCKS),  # its lower end
        )
    )
    return replace(
        person,
        identity=(person.identity * rng.uniform(0.9, 1.5)).astype(np.float32),
        style=style,
        volume=rng.uniform(0.05, 0.2) if style == "short" else rng.uniform(0.12, 0.4),
        length=rng.uniform(0.8, 3.0),
        fringe=rng.uniform(0.1, 0.75) if haired and rng.random() < 0.45 else -1.0,
        fringe_slope=rng.normal(0, 0.6),
        beard=person.beard if style != "long" else 0.0,
        lipstick=rng.uniform(0, 1) if style == "long" else 0.0,
        stretch=rng.normal(1.05, 0.04),
        nose=rng.normal(0.045, 0.03),
        lenses=rng.uniform(0.5, 1) if person.glasses and rng.random() < 0.35 else 0.0,
        locks=locks,
    )


def vary_shot(rng: np.random.Generator, shot: Shot, rotation: NDArray[np.float64]) -> Shot:
    """The photograph with other eyes, mouth, camera and light; ``rotation`` (3, 3) is the head's."""
    right, up = shot.gaze
    if rng.random() < 0.65:  # at the camera, as far as eyes turn
        x, y, z = rotation[2]
        right = float(np.clip(np.degrees(np.arctan2(x, z)) + rng.normal(0, 4), -35, 35))
        up = float(np.clip(np.degrees(np.arcsin(-y)) + rng.normal(0, 4), -30, 28))
    expression = dict(shot.expression)
    if expression["eyeBlinkLeft"] < 0.5:
        lids = float(np.clip(0.12 - 0.012 * up + rng.normal(0, 0.06), 0, 0.6))
        expression |= {"eyeBlinkLeft": lids, "eyeBlinkRight": lids}
    for name, share in (("mouthFunnel", 0.08), ("jawLeft", 0.05), ("jawRight", 0.05), ("eyeSquintLeft", 0.15)):
        if rng.random() < share:
            expression[name] = rng.uniform(0.1, 0.9)
    if "eyeSquintLeft" in expression and rng.random() < 0.8:
        expression["eyeSquintRight"] = expression["eyeSquintLeft"]
    smiles = "mouthSmileLeft" in expression or rng.random() < 0.1
    surroundings = rng.uniform(0.15, 1)
    return replace(
        shot,
        gaze=(right, up),
        expression=expression,
        teeth=rng.uniform(0.3, 1) if smiles and rng.random() < 0.65 else 0.0,
        distance=float(np.exp(rng.uniform(np.log(8), np.log(45)))),
        body_share=rng.uniform(0, 1),
        light_azimuth=float(np.clip(rng.normal(0, 60), -130, 130)),
        light_elevation=rng.uniform(-15, 75),
        ambient=shot.ambient * surroundings,
        ambient_gradient=shot.ambient_gradient * surroundings,
        gloss=(shot.gloss[0] * rng.uniform(0, 1.3), shot.gloss[1]),
        brightness=rng.uniform(0.25, 0.88) ** 2.2,
        saturation=rng.uniform(0.4, 1.5),
        blur=float(rng.choice([0, 0, 0, 0.4, 0.7])),
        socket_shade=rng.uniform(0, 1),
    )


def vary_background(rng: np.random.Generator, background: NDArray[np.float64]) -> NDArray[np.float64]:
    """The background, a fifth of them nearly black, a tenth nearly white: (size, size, 3) linear RGB."""
    kind = rng.random()
    if kind < 0.2:
        return background * rng.uniform(0, 0.15)
    return 1 - (1 - background) * rng.uniform(0, 0.2) if kind < 0.3 else background


def change_proportions(model: HeadModel, face: Tensor, persons: Sequence[Person]) -> Tensor:
    """Heads (B, V, 3) of other height, their noses' tips higher."""
    x, y, z = model.mean.unbind(1)
    tip = torch.exp(-((x / 0.17).square() + ((y - 0.42) / 0.17).square())) * smoothstep(0.25, 0.5, z)
    stretch, nose = (stack([getattr(p, name) for p in persons])[:, None] for name in ("stretch", "nose"))
    sideways, down, front = face.unbind(-1)
    return torch.stack((sideways, down * stretch - nose * tip, front), -1)


def draw_details(
    colour: Tensor, place: Tensor, skin: Tensor, persons: Sequence[Person], shots: Sequence[Shot]
) -> Tensor:
    """Teeth, dark lenses and locks of hair; arguments as :func:`mhpe.synthheads.makeup.draw_makeup`."""
    x, y = place.unbind(-1)
    ax = x.abs()
    tone, hair = (stack([getattr(p, name) for p in persons])[:, None, None] for name in ("skin", "hair"))

    def paint(weight: Tensor, albedo: Tensor) -> None:
        nonlocal colour
        strength = (weight * skin)[..., None].clamp(0, 1)
        colour = colour * (1 - strength + strength * (albedo / tone).clamp(0.02, 6))

    teeth = stack([shot.teeth for shot in shots])[:, None, None]
    paint(teeth * smoothstep(0.06, 0.035, (y - 0.7).abs()) * smoothstep(0.24, 0.17, ax), tone.new_tensor([0.6] * 3))
    lenses = stack([person.lenses for person in persons])[:, None, None]
    from_eye = ((ax - LENSES_AT[0]) / 0.27).square() + ((y - LENSES_AT[1]) / 0.21).square()
    paint(lenses * smoothstep(1.1, 0.95, from_eye), tone.new_tensor([0.02] * 3))
    locks = stack([person.locks for person in persons])[:, :, :, None, None]
    for start, slope, bend, half, end in (lock.unbind(1) for lock in locks.unbind(1)):
        down = y + 0.7  # from the hairline
        from_lock = (x - start - slope * down - bend * down.square()).abs() / half.clamp_min(1e-6)
        strands = 1 + 0.3 * torch.sin(40 * (x - slope * down))
        weight = (half > 0) * smoothstep(1.1, 0.8, from_lock) * smoothstep(0.1, -0.1, y - end)
        paint(weight, hair * strands[..., None])
    return colour
