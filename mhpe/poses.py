"""What a reference sampler may see of images: their poses, never their pixels."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mhpe.rotations import from_euler, mirror, to_euler


@dataclass(frozen=True)
class Poses:
    """Poses of N images.

    Attributes:
        rotations: (N, 3, 3) canonical rotations.
        angles: (N, 3) yaw, pitch, roll in degrees.
        identities: (N,) number of the person or photograph.
        index: (N,) the images' numbers in the training set; equal numbers are the same image.
    """

    rotations: Tensor
    angles: Tensor
    identities: Tensor
    index: Tensor

    @classmethod
    def from_angles(cls, angles: Tensor, identities: Tensor | None = None) -> "Poses":
        """Poses of all images of a data set.

        Args:
            angles: (N, 3) yaw, pitch, roll in degrees, in the convention of 300W-LP (:mod:`mhpe.rotations`).
            identities: (N,) number of the person; by default every image shows another one.
        """
        return cls._numbered(from_euler(angles), angles, identities)

    @classmethod
    def from_rotations(cls, rotations: Tensor, identities: Tensor | None = None) -> "Poses":
        """Poses of all images of a data set.

        Args:
            rotations: (N, 3, 3) canonical rotations (:mod:`mhpe.rotations`): columns left, down, front.
            identities: (N,) number of the person; by default every image shows another one.
        """
        return cls._numbered(rotations, to_euler(rotations), identities)

    @classmethod
    def _numbered(cls, rotations: Tensor, angles: Tensor, identities: Tensor | None) -> "Poses":
        index = torch.arange(len(rotations), device=rotations.device)
        return cls(rotations, angles, index if identities is None else identities, index)

    def __len__(self) -> int:
        return len(self.rotations)

    @property
    def yaw(self) -> Tensor:
        """(N,) yaw in degrees."""
        return self.angles[:, 0]

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.rotations.device

    def __getitem__(self, which: Tensor) -> "Poses":
        """Poses of some of the images, by their positions or by a mask."""
        return Poses(self.rotations[which], self.angles[which], self.identities[which], self.index[which])

    def to(self, device: torch.device) -> "Poses":
        """The same poses on a device."""
        return Poses(*(values.to(device) for values in (self.rotations, self.angles, self.identities, self.index)))

    def flipped(self, which: Tensor) -> "Poses":
        """The poses once the images of a mask (N,) are mirrored."""
        rotations = torch.where(which[:, None, None], mirror(self.rotations), self.rotations)
        angles = torch.where(which[:, None], self.angles * self.angles.new_tensor([-1, 1, -1]), self.angles)
        return Poses(rotations, angles, self.identities, self.index)
