"""Made-up data sets in the original layouts: drawn heads whose features move with the rotation."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from scipy.io import savemat

from mhpe.rotations import from_euler

# left, down, front coordinates and colours of features of a drawn head; mirror symmetric up to colour
FEATURES = [
    ((-0.35, -0.25, 0.8), 0.12, "white"),
    ((0.35, -0.25, 0.8), 0.12, "white"),
    ((-0.35, -0.25, 0.9), 0.06, "black"),
    ((0.35, -0.25, 0.9), 0.06, "black"),
    ((0.0, 0.05, 1.05), 0.1, "orange"),
    ((-0.2, 0.45, 0.85), 0.07, "darkred"),
    ((0.0, 0.47, 0.88), 0.07, "darkred"),
    ((0.2, 0.45, 0.85), 0.07, "darkred"),
    ((0.0, -0.9, 0.2), 0.3, "saddlebrown"),
]


def random_angles(count: int, seed: int = 0) -> np.ndarray:
    """(count, 3) yaw, pitch, roll in degrees, distributed like those of photographs."""
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(0, (35, 15, 10), (count, 3)), -88, 88)


def rotation_of(angles: np.ndarray) -> np.ndarray:
    """Canonical rotations (..., 3, 3) of angles (..., 3) in degrees."""
    return from_euler(torch.as_tensor(angles, dtype=torch.float64)).numpy()


def draw_head(rotation: np.ndarray, size: int) -> Image.Image:
    """A head seen by an orthographic camera (x right, y down, z towards the viewer)."""
    image = Image.new("RGB", (size, size), "steelblue")
    draw = ImageDraw.Draw(image)
    radius = 0.36 * size

    def disc(centre: np.ndarray, r: float, colour: str) -> None:
        x, y = size / 2 + radius * centre[:2]
        draw.ellipse((x - radius * r, y - radius * r, x + radius * r, y + radius * r), fill=colour)

    disc(np.zeros(3), 1.0, "bisque")
    placed = [(rotation @ np.array(place), r, colour) for place, r, colour in FEATURES]
    for centre, r, colour in sorted(placed, key=lambda feature: feature[0][2]):
        if centre[2] > 0:
            disc(centre, r, colour)
    return image


def landmarks(size: int) -> np.ndarray:
    """(3, 68) landmarks whose box has the face's size, the same for every rotation."""
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    return np.stack((size / 2 + 0.3 * size * np.cos(turn), size / 2 + 0.3 * size * np.sin(turn), 0 * turn))


def write_mat(path: Path, angles: np.ndarray, size: int, **extra: np.ndarray) -> None:
    """A label file like those of 300W-LP (68 points in pt2d) and AFLW2000-3D (pt3d_68)."""
    yaw, pitch, roll = np.radians(angles)
    pose = np.array([[pitch, yaw, roll, 0, 0, 0, 1e-3]], dtype=np.float32)
    points = landmarks(size)
    savemat(path, {"Pose_Para": pose, "pt3d_68": points, "pt2d": points[:2]} | extra)


def write_aflw2000(root: Path, count: int, seed: int = 0, size: int = 96) -> np.ndarray:
    """AFLW2000/ with ``count`` images; returns their angles (count, 3)."""
    folder = root / "AFLW2000"
    folder.mkdir(parents=True)
    angles = random_angles(count, seed)
    for i, (angle, rotation) in enumerate(zip(angles, rotation_of(angles), strict=True)):
        draw_head(rotation, size).save(folder / f"image{i:05d}.jpg")
        write_mat(folder / f"image{i:05d}.mat", angle, size)
    return angles


def write_300w_lp(root: Path, photographs: int, views: int, seed: int = 1, size: int = 96) -> None:
    """300W_LP/ with the original's folders, landmarks/ and Code/ included."""
    for subset in ("AFW", "HELEN", "IBUG", "LFPW"):
        plain, flipped = root / "300W_LP" / subset, root / "300W_LP" / f"{subset}_Flip"
        for folder in (plain, flipped, root / "300W_LP" / "landmarks" / subset, root / "300W_LP" / "Code"):
            folder.mkdir(parents=True, exist_ok=True)
        for photograph in range(photographs):
            angles = random_angles(views, seed + photograph)
            for view, (angle, rotation) in enumerate(zip(angles, rotation_of(angles), strict=True)):
                name = f"{subset}_{photograph:04d}_1_{view}"
                image = draw_head(rotation, size)
                image.save(plain / f"{name}.jpg")
                write_mat(plain / f"{name}.mat", angle, size)
                savemat(root / "300W_LP" / "landmarks" / subset / f"{name}_pts.mat", {"pts_2d": landmarks(size)[:2]})
                image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(flipped / f"{name}.jpg")
                write_mat(flipped / f"{name}.mat", angle * [-1, 1, -1], size)


def pose_text(rotation: np.ndarray, centre: tuple[float, float, float]) -> str:
    """A BIWI pose file: the matrix to a camera with z away from the viewer, then the head's centre in mm."""
    turned = np.diag([1, 1, -1]) @ rotation @ np.diag([1, 1, -1])
    rows = [" ".join(f"{value:.8f}" for value in row) for row in turned]
    return "\n".join([*rows, "", " ".join(map(str, centre)), ""])


CALIBRATION = """500 0 320
0 500 240
0 0 1

0 0 0 0

1 0 0
0 1 0
0 0 1

-25 0 0

640 480
"""


def write_biwi(root: Path, frames: int, sequences: tuple[str, ...] = ("01", "02", "21"), seed: int = 2) -> np.ndarray:
    """BIWI/ with cropped frames; returns the angles (sequences x frames, 3)."""
    angles = random_angles(frames * len(sequences), seed)
    for i, (_, rotation) in enumerate(zip(angles, rotation_of(angles), strict=True)):
        folder = root / "BIWI" / sequences[i // frames]
        folder.mkdir(parents=True, exist_ok=True)
        draw_head(rotation, 72).save(folder / f"frame_{i % frames:05d}_rgb.png")
        (folder / f"frame_{i % frames:05d}_pose.txt").write_text(pose_text(rotation, (0.0, 0.0, 900.0)))
    return angles
