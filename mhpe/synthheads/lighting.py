"""Light: spherical-harmonic surroundings, one directional light, highlights; all in linear RGB."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mhpe.synthheads.appearance import direction, stack
from mhpe.synthheads.population import Shot


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
