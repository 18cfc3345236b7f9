"""Long hair and glasses, as small meshes in head coordinates."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mhpe.synthheads.appearance import stack
from mhpe.synthheads.head_model import HeadModel
from mhpe.synthheads.population import Person

HAIR_ROWS, HAIR_COLUMNS = 14, 25
RIM_POINTS = 20


def _grid(rows: int, columns: int, first: int, closed: bool = False) -> NDArray[np.int64]:
    """Triangles of a grid of vertices, numbered from ``first``."""
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(columns if closed else columns - 1), indexing="ij")
    a, b = first + r * columns + c, first + r * columns + (c + 1) % columns
    halves = np.stack((a, a + columns, b), -1), np.stack((b, a + columns, b + columns), -1)
    return np.concatenate(halves).reshape(-1, 3)


class Accessories:
    """Vertices and triangles of hair and glasses for a head model, the same number for every person."""

    def __init__(self, model: HeadModel) -> None:
        self._eyes = [model.mean[numbers].mean(0).numpy() for numbers, _ in model.eyes]
        self._nose_bridge = (
            ((model.mean[:, 1] - 0.03).abs() < 0.15) & (model.mean[:, 0].abs() < 0.5) & (model.part == 0)
        )
        self.hair = HAIR_ROWS * HAIR_COLUMNS  # number of hair vertices, which are the first ones
        parts, first = [_grid(HAIR_ROWS, HAIR_COLUMNS, 0)], self.hair
        for rows, columns, closed in ((2, RIM_POINTS, True),) * 2 + ((2, 4, False),) * 3:
            parts.append(_grid(rows, columns, first, closed))
            first += rows * columns
        self.count = first  # of all vertices
        self.triangles = torch.from_numpy(np.concatenate(parts))  # (T, 3) numbers from 0; drawn from both sides

    def vertices(self, person: Person, face: Tensor) -> Tensor:
        """Vertices (count, 3) for a person whose face has vertices (V, 3); what is not worn lies far away."""
        result = torch.full((self.count, 3), -1e3)
        if person.style == "long":
            result[: self.hair] = self._long_hair(person).to(face)
        if person.glasses:
            front = torch.quantile(face[self._nose_bridge, 2], 0.97).item() + 0.04
            result[self.hair :] = self._glasses(person, front).to(face)
        return result

    def albedo(self, persons: Sequence[Person]) -> Tensor:
        """Linear RGB of the vertices, (B, count, 3): long hair in strands, then the rims."""
        strand = torch.arange(self.hair) % HAIR_COLUMNS
        phase = stack([person.pattern[0, 0] for person in persons])[:, None]
        shade = 1 + 0.25 * torch.sin(2.1 * strand + phase) + 0.1 * torch.sin(5.3 * strand)
        hair = stack([person.hair for person in persons])[:, None] * shade[..., None]
        rim = stack([person.rim for person in persons])[:, None].expand(-1, self.count - self.hair, -1)
        return torch.cat((hair, rim), 1)

    def _long_hair(self, person: Person) -> Tensor:
        """A shell that hangs from the crown, open towards the face."""
        opening = 0.6 + 0.5 * ((person.pattern[0, 0] / 6.28) ** 2)
        turn = np.linspace(-math.pi + opening, math.pi - opening, HAIR_COLUMNS)
        along = np.linspace(0, 1, HAIR_ROWS)[:, None]
        dome, hang = np.minimum(along * 2.2, 1) * math.pi / 2, np.maximum(along * 2.2 - 1, 0) / 1.2
        wave = 1 + 0.03 * np.sin(9 * turn + person.pattern[1, 0] + 5 * along)
        width = np.sin(dome) * (1 + 0.12 * hang) * wave
        side = np.sin(turn) * (0.84 + 0.8 * person.volume) * width
        down = -0.1 - (1.08 + 0.8 * person.volume) * np.cos(dome) + person.length * hang + 0 * turn
        front = -np.cos(turn) * (1.0 + 0.7 * person.volume) * width - 0.62
        return torch.from_numpy(np.stack((side, down, front), -1).reshape(-1, 3)).float()

    def _glasses(self, person: Person, front: float) -> Tensor:
        """Two rims, a bridge and two temples."""
        radius, thickness, ratio, square = person.rim_shape
        turn = np.linspace(0, 2 * math.pi, RIM_POINTS, endpoint=False)
        cos, sin = (np.sign(w) * np.abs(w) ** square for w in (np.cos(turn), np.sin(turn)))

        def at_face(x: NDArray[np.float64], y: NDArray[np.float64] | float) -> NDArray[np.float64]:
            return np.stack((x, y + 0 * x, front - 0.28 * x**2), -1)

        parts: list[NDArray[np.float64]] = []
        for eye in self._eyes:
            rims = (radius - thickness, radius + thickness)
            parts += [at_face(eye[0] + 1.12 * r * cos, eye[1] + ratio * r * sin) for r in rims]
        height = (self._eyes[0][1] + self._eyes[1][1]) / 2
        inner = np.linspace(-1, 1, 4) * (abs(self._eyes[0][0]) - radius)
        parts += [at_face(inner, height - up) for up in (0.02, 0.07)]
        for eye in self._eyes:
            hinge = eye[0] + np.sign(eye[0]) * 1.12 * (radius + thickness)
            x = np.linspace(hinge, np.sign(hinge) * 0.86, 4)
            z = np.linspace(front - 0.28 * hinge**2, -0.6, 4)
            parts += [np.stack((x, height - up + 0 * x, z), -1) for up in (0.01, 0.08)]
        return torch.from_numpy(np.concatenate(parts)).float()
