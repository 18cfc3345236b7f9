"""The colour of every vertex, and the light on it: surroundings, a lamp and highlights; all in linear RGB."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mhpe.synthheads.head_model import TEETH, HeadModel, smoothstep
from mhpe.synthheads.population import Person, Shot


def stack(values: Sequence[object]) -> Tensor:
    """Numbers or arrays of several images as one float32 tensor (B, ...)."""
    return torch.from_numpy(np.asarray(values, dtype=np.float32))


def direction(right: Tensor, up: Tensor) -> Tensor:
    """Unit vectors (B, 3) that point B angles right and up of the viewer, in radians."""
    return torch.stack((right.sin() * up.cos(), -up.sin(), right.cos() * up.cos()), 1)


def hair_cover(model: HeadModel, persons: Sequence[Person]) -> Tensor:
    """How much each vertex is covered by hair (B, V), fringe included."""
    x, y, z = model.mean.unbind(1)
    haired = stack([person.style != "bald" for person in persons])
    cover = model.regions["scalp"] * haired[:, None]
    fringe = stack([person.fringe for person in persons])
    slope = stack([person.fringe_slope for person in persons])
    edge = 0.03 - fringe[:, None] + slope[:, None] * x  # the fringe ends so far above the eyes
    forehead = smoothstep(-0.45, -0.25, z) * (model.part == 0)
    return torch.maximum(cover, (fringe > 0)[:, None] * forehead * smoothstep(0.04, -0.04, y - edge))


def hair_displacement(model: HeadModel, persons: Sequence[Person], cover: Tensor) -> Tensor:
    """How far hair lifts each vertex (B, V, 3), in decimetres."""
    thick = {"bald": 0.0, "buzz": 0.0, "cap": 0.4}
    volume = stack([person.volume * thick.get(person.style, 1.0) for person in persons])
    waves = torch.sin(mottling(model, persons)).mean(1)
    outwards = F.normalize(model.mean + model.mean.new_tensor([0.0, 0.25, 0.6]), dim=1)
    return outwards * (cover**0.7 * volume[:, None] * (1 + 0.5 * waves))[..., None]


def mottling(model: HeadModel, persons: Sequence[Person]) -> Tensor:
    """Smooth random phases over the head, (B, 6, V)."""
    pattern = stack([person.pattern for person in persons])
    return torch.einsum("bkj,vj->bkv", pattern[..., 1:], model.mean) + pattern[..., :1]


def albedo(model: HeadModel, persons: Sequence[Person], shots: Sequence[Shot], cover: Tensor) -> Tensor:
    """Linear RGB of the head's vertices, (B, V, 3)."""
    regions = model.regions
    skin = stack([person.skin for person in persons])[:, None]
    hair = stack([person.hair for person in persons])[:, None]
    phase = mottling(model, persons)
    colour = skin * (1 + 0.03 * torch.sin(phase[:, :4]).sum(1))[..., None]
    colour = colour * (1 + 0.7 * regions["cheeks"][:, None] * (colour.new_tensor([1.08, 0.86, 0.84]) - 1))

    def paint(weight: Tensor, paint_colour: Tensor) -> None:
        nonlocal colour
        colour = torch.lerp(colour, paint_colour.expand_as(colour), weight.clamp(0, 1)[..., None])

    def per_image(name: str, of: Sequence[Person] | Sequence[Shot]) -> Tensor:
        return stack([getattr(one, name) for one in of])[:, None]

    lips = skin * colour.new_tensor([0.85, 0.48, 0.48])
    lipstick = 0.5 * per_image("lipstick", persons)[..., None]
    paint(0.9 * regions["lips"].expand_as(cover), lips + lipstick * (colour.new_tensor([0.45, 0.05, 0.08]) - lips))
    paint(per_image("socket_shade", shots) * regions["sockets"], skin * colour.new_tensor([0.5, 0.42, 0.4]))
    beard = per_image("beard", persons)
    paint(beard * torch.maximum(regions["beard"], 0.9 * regions["moustache"]), hair * 0.9 + skin * 0.05)
    clothes = per_image("clothes", shots)
    strands = hair * (1 + 0.25 * torch.sin(2.5 * phase[:, 5]))[..., None]
    capped = stack([person.style == "cap" for person in persons])[:, None, None]
    strands = torch.lerp(strands, clothes.flip(-1) * 0.9 + 0.02, capped.expand_as(strands))
    thin = stack([0.75 if person.style == "buzz" else 1.0 for person in persons])[:, None]
    paint(thin * cover, strands)
    paint(regions["clothes"].expand_as(cover), clothes)
    _paint_eyes(model, persons, shots, colour)
    colour[:, model.part == TEETH] = colour.new_tensor([0.75, 0.70, 0.60])
    return colour


def _paint_eyes(model: HeadModel, persons: Sequence[Person], shots: Sequence[Shot], colour: Tensor) -> None:
    """White, iris and pupil around the direction of the gaze."""
    gaze = direction(*torch.deg2rad(stack([shot.gaze for shot in shots])).unbind(1))
    iris = stack([person.iris for person in persons])[:, None]
    for numbers, directions in model.eyes:
        angle = torch.rad2deg((gaze @ directions.T).clamp(-1, 1).acos())[..., None]
        white = colour.new_tensor([0.46, 0.43, 0.42]).expand(*angle.shape[:2], 3)
        with_iris = torch.lerp(white, iris.expand_as(white), smoothstep(38, 27, angle))
        colour[:, numbers] = torch.lerp(with_iris, torch.full_like(with_iris, 0.01), smoothstep(18, 12, angle))


def vertex_normals(vertices: Tensor, triangles: Tensor) -> Tensor:
    """Unit normals (B, V, 3) that point out of the surface."""
    a, b, c = (vertices[:, triangles[:, i]] for i in range(3))
    of_triangle = torch.linalg.cross(b - a, c - a)
    normals = torch.zeros_like(vertices)
    for i in range(3):
        normals.index_add_(1, triangles[:, i], of_triangle)
    return F.normalize(normals, dim=-1, eps=1e-9)


def shade(colour: Tensor, normals: Tensor, occlusion: Tensor, shininess: Tensor, shots: Sequence[Shot]) -> Tensor:
    """Reflected light of each vertex, (B, V, 3).

    Args:
        colour: (B, V, 3) albedo.
        normals: (B, V, 3) in camera coordinates (x right, y down, z towards the viewer).
        occlusion: (B, V, 1) ambient occlusion, 1 where the surroundings are all visible.
        shininess: (V, 1) factor of the highlights.
        shots: B shots.
    """
    turned = torch.deg2rad(stack([(shot.light_azimuth, shot.light_elevation) for shot in shots]))
    light = direction(*turned.unbind(1))[:, None]
    light_colour = stack([shot.light_colour for shot in shots])[:, None]
    facing = (normals * light).sum(-1, keepdim=True)
    x, y, z = normals.unbind(-1)
    harmonics = torch.stack((torch.ones_like(x), y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y), -1)
    gradient = stack([shot.ambient_gradient for shot in shots])
    ambient = (stack([shot.ambient for shot in shots])[:, None] + harmonics @ gradient).clamp_min(0.04)
    halfway = F.normalize(light + light.new_tensor([0.0, 0.0, 1.0]), dim=-1)
    strength, exponent = stack([shot.gloss for shot in shots])[:, None].split(1, -1)
    highlight = (normals * halfway).sum(-1, keepdim=True).clamp(0, 1) ** exponent * strength * (facing > 0)
    diffuse = facing.clamp(0, 1) * light_colour * (0.35 + 0.65 * occlusion) + ambient * occlusion
    lit: Tensor = colour * diffuse + highlight * shininess * light_colour * occlusion
    return lit
