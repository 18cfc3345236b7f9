"""The head: mean shape, identities, expressions, and where skin, hair, lips and clothes are.

Coordinates are the canonical ones of :mod:`mhpe.rotations`: left, down, front; one unit is a decimetre on
an average adult. The frame's pitch zero is set by geometry (``tools/build_head_model.py``), its yaw and roll
zero by the mean head's symmetry.
"""

from functools import cache
from importlib.resources import as_file, files

import numpy as np
import torch
from torch import Tensor

SKIN, EYE, TEETH = 0, 1, 2


def smoothstep(low: float, high: float, x: Tensor) -> Tensor:
    """0 below ``low``, 1 above ``high``, smooth between (the other way round if low > high)."""
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


class HeadModel:
    """The head model's arrays, for V vertices and T triangles."""

    def __init__(self) -> None:
        with as_file(files(__package__) / "head_model.npz") as path:
            stored = np.load(path)
        a = {name: torch.from_numpy(stored[name]) for name in stored.files if stored[name].dtype.kind != "U"}
        self.mean = a["mean"]  # (V, 3) mean head
        self.triangles = a["triangles"].long()  # (T, 3) vertex numbers; seen from outside, clockwise in the image
        self.part = a["part"]  # (V,) skin, eye or teeth
        self.skull = a["skull"].bool()  # (V,) vertices that define the head's rotation
        self.neck = a["neck"]  # (3,) point around which the head turns on the body
        self.occlusion = a["occlusion"].float() / 255  # (V,) ambient occlusion, 1 where the surroundings are visible
        self.expression_names = tuple(stored["expression_names"].tolist())
        self._identity = (a["identity"].float() * a["identity_scale"][:, None, None]).flatten(1)
        self._expression = (a["expression"].float() * a["expression_scale"][:, None, None]).flatten(1)
        # soft masks (V,) by name
        self.regions = self._regions({name: a[name].float() / 255 for name in ("lips", "ears")})
        x, y, z = self.mean.unbind(1)
        # (V, 1) 1 where a vertex moves with the head, 0 with the body
        self.head_share = smoothstep(1.95, 1.0, y - 0.3 * (z + 1.0)).where(self.part == SKIN, 1.0)[:, None]
        face = (self.part == SKIN) & (self.regions["ears"] < 0.3) & (z > -0.5) & (y > -0.22) & (y < 1.17)
        self.landmarks = face.nonzero().squeeze(1)  # vertices whose box is that of 68 facial landmarks
        self.eyes = [self._eyeball((self.part == EYE) & (x * side > 0)) for side in (1, -1)]

    @property
    def identities(self) -> int:
        """Number of identity components."""
        return len(self._identity)

    def shapes(self, identity: Tensor, expression: Tensor) -> Tensor:
        """Head shapes (B, V, 3) whose skulls are aligned, so that a rotation label means the same for every identity.

        Components of a linear model turn the skull a little (up to 3 degrees in sum), so each identity is
        aligned again here, before its expression is added: turned and moved until its skull fits the mean head's
        (Procrustes, no scaling). ``identity`` (B, identities) is in standard deviations, ``expression``
        (B, expressions) in [0, 1].
        """
        import roma  # loads torch._dynamo: seconds

        shape = self.mean + (identity @ self._identity).unflatten(1, (-1, 3))
        offsets: Tensor = (expression @ self._expression).unflatten(1, (-1, 3))
        skull, reference = shape[:, self.skull], self.mean[self.skull]
        centre, reference_centre = skull.mean(1, keepdim=True), reference.mean(0)
        turn = roma.special_procrustes((reference - reference_centre).T @ (skull - centre))
        aligned: Tensor = (shape - centre) @ turn.mT + reference_centre
        return aligned + offsets

    def _eyeball(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers of an eyeball's vertices, and their directions from its centre."""
        numbers = chosen.nonzero().squeeze(1)
        points = self.mean[numbers]
        centre = (points.amin(0) + points.amax(0)) / 2
        return numbers, torch.nn.functional.normalize(points - centre, dim=1)

    def _regions(self, masks: dict[str, Tensor]) -> dict[str, Tensor]:
        """Soft masks on the mean head, from the assets' textures and from anatomy."""
        x, y, z = self.mean.unbind(1)
        ax = x.abs()
        skin = (self.part == SKIN).float()
        behind = [-1.35, -1.1, -0.85, -0.62, -0.45, -0.3, -0.15, 0.05, 0.2, 0.4]
        height = [0.95, 0.75, 0.45, 0.2, 0.12, -0.25, -0.5, -0.62, -0.74, -0.9]
        hairline = torch.from_numpy(np.interp(z.numpy(), behind, height).astype(np.float32))
        front = smoothstep(-0.25, 0.0, z)
        below_nose = (
            smoothstep(0.5, 0.56, y) * smoothstep(0.66, 0.62, y) * smoothstep(0.3, 0.2, ax) * smoothstep(0.2, 0.3, z)
        )
        jaw = (
            smoothstep(0.62, 0.85, y + 0.35 * smoothstep(0.3, 0.6, ax))
            * smoothstep(1.32, 1.18, y)
            * smoothstep(-0.5, -0.35, z)
        )
        return masks | {
            "scalp": skin * smoothstep(0.05, -0.05, y - hairline) * (1 - masks["ears"]),
            "face": skin * smoothstep(-0.3, -0.1, z) * smoothstep(1.1, 0.9, y),
            "beard": skin * jaw * (1 - masks["lips"]),
            "moustache": skin * below_nose * (1 - masks["lips"]),
            "cheeks": skin * torch.exp(-(((ax - 0.4) / 0.2) ** 2 + ((y - 0.4) / 0.2) ** 2)) * front,
            "sockets": skin * torch.exp(-(((ax - 0.31) / 0.2) ** 2 + ((y - 0.02) / 0.1) ** 2)) * front,
            "clothes": skin * smoothstep(1.62, 1.7, y - 0.25 * (z + 0.6)),
        }


@cache
def head_model() -> HeadModel:
    """The head model, loaded once."""
    return HeadModel()
