"""Head rotations: the canonical frame, the field's Euler angles, and the mirror image.

**Canonical rotation.** ``R`` (3x3) has as columns the head's *left*, *down* and *front* axes, written in
camera coordinates x right, y down, z **towards the viewer**. A head that looks straight into the camera
has ``R = I``: the subject's left is the image's right, down is down, front points at the viewer.
(These axes are left-handed; ``R`` is still a proper rotation, because head and camera axes share the handedness.)

**Euler angles** are those of 300W-LP, AFLW2000-3D and all published errors, in the order
(yaw, pitch, roll), in degrees. Seen in the image, yaw > 0 turns the nose to the image's *left*,
pitch > 0 looks *up*, roll > 0 turns the head *clockwise*. With the data sets' own matrix
``R6 = Rz(roll) Ry(yaw) Rx(pitch)`` and ``S = diag(1, -1, 1)`` the canonical rotation is
``R = S R6^T S = Rx(pitch) Ry(-yaw) Rz(roll)``.
"""

import torch
from torch import Tensor

AXES = ("left", "down", "front")
ANGLES = ("yaw", "pitch", "roll")


def from_euler(angles: Tensor) -> Tensor:
    """Canonical rotations (..., 3, 3) of yaw, pitch and roll (..., 3) in degrees."""
    import roma  # loads torch._dynamo: seconds

    yaw, pitch, roll = angles.unbind(-1)
    rotation: Tensor = roma.euler_to_rotmat("XYZ", torch.stack((pitch, -yaw, roll), -1), degrees=True)
    return rotation


def to_euler(rotation: Tensor) -> Tensor:
    """Yaw, pitch and roll (..., 3) in degrees of canonical rotations (..., 3, 3).

    Yaw is in [-90, 90], pitch and roll in (-180, 180]. At yaw = +-90 pitch and roll are not separable (gimbal lock);
    their sum or difference is still right.
    """
    # Entries of Rx(p) Ry(-y) Rz(r), read directly: exact near 90 degrees where a
    # quaternion in between loses half of float32's digits.
    yaw = torch.atan2(-rotation[..., 0, 2], rotation[..., 0, :2].norm(dim=-1))
    pitch = torch.atan2(-rotation[..., 1, 2], rotation[..., 2, 2])
    roll = torch.atan2(-rotation[..., 0, 1], rotation[..., 0, 0])
    return torch.rad2deg(torch.stack((yaw, pitch, roll), -1))


def mirror(rotation: Tensor) -> Tensor:
    """Rotations (..., 3, 3) of the heads in horizontally flipped images, ``D R D`` with ``D = diag(-1, 1, 1)``.

    Yaw and roll change sign.
    """
    return rotation * rotation.new_tensor([[1, -1, -1], [-1, 1, 1], [-1, 1, 1]])


def geodesic_degrees(first: Tensor, second: Tensor) -> Tensor:
    """Angle in [0, 180] degrees, (...), between rotations (..., 3, 3), broadcast against each other."""
    import roma  # loads torch._dynamo: seconds

    return torch.rad2deg(roma.rotmat_geodesic_distance(first, second))


def wrap_degrees(angle: Tensor) -> Tensor:
    """The same angle in [-180, 180) degrees."""
    return torch.remainder(angle + 180, 360) - 180
