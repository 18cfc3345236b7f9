"""Backgrounds that look like places, and occluders in front of the head."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

Image = NDArray[np.float64]


def background(rng: np.random.Generator, size: int) -> Image:
    """A place out of focus, (size, size, 3) linear RGB.

    A wall or a sky in one pale colour, shading into another; large shapes of similar colours, mostly
    upright or level (furniture, windows, people, foliage); fine texture; then the blur of a lens.
    """
    y, x = np.mgrid[0:size, 0:size] / size
    base = _pale_colour(rng)
    picture = base + (_pale_colour(rng, base) - base) * (y if rng.random() < 0.5 else x)[..., None] * rng.uniform(0, 1)
    if rng.random() < 0.7:
        picture = picture + _clouds(rng, size) * rng.uniform(0.05, 0.35)
    for _ in range(rng.integers(0, 8)):
        inside = _shape(rng, x, y)
        opacity = rng.uniform(0.3, 1)
        picture = picture + opacity * inside[..., None] * (_pale_colour(rng) - picture)
    picture = _blur(picture, rng.choice([0.0, 0.5, 1.5, 3.0]) * size / 64)
    return np.asarray(np.clip(picture, 0, 1) ** 2.2)


def plain_room(rng: np.random.Generator, size: int) -> Image:
    """A laboratory's wall: nearly one colour, a soft shadow, an edge or two, (size, size, 3) linear RGB."""
    y, x = np.mgrid[0:size, 0:size] / size
    wall = rng.uniform(0.45, 0.85) + 0.03 * rng.normal(0, 1, 3)
    picture = wall * (1 + rng.uniform(-0.15, 0.15) * x + rng.uniform(-0.15, 0.15) * y)[..., None]
    for _ in range(rng.integers(0, 3)):  # a door frame, a cupboard
        edge = rng.uniform(-0.1, 1.1)
        side = (x > edge) if rng.random() < 0.8 else (y > edge)
        picture = np.where(side[..., None], picture * rng.uniform(0.75, 1.15), picture)
    return np.asarray(np.clip(_blur(picture, rng.uniform(0.3, 1) * size / 64), 0, 1) ** 2.2)


def occlude(rng: np.random.Generator, image: Image, box: tuple[float, float, float, float], face: Image) -> Image:
    """Cover a part of the face in an image (size, size, 3) of linear RGB, never more than half of it.

    ``box`` is left, top, right, bottom of the face in pixels, ``face`` (size, size) each pixel's share of face.
    """
    y, x = np.mgrid[0 : len(image), 0 : len(image)] + 0.5
    left, top, right, bottom = box
    turn, power = rng.uniform(0, math.pi), rng.choice([2, 4, 10])
    axes = rng.uniform(0.1, 0.26, 2) * max(right - left, bottom - top)
    cx, cy = rng.uniform(left, right), rng.uniform(top, bottom)
    u = (x - cx) * math.cos(turn) + (y - cy) * math.sin(turn)
    v = (y - cy) * math.cos(turn) - (x - cx) * math.sin(turn)
    colour = _pale_colour(rng) ** 2.2 * (1 + 0.2 * np.sin(3 * u / axes[0] + rng.uniform(0, 6)))[..., None]

    def inside() -> NDArray[np.bool_]:
        return np.asarray(np.abs(u / axes[0]) ** power + np.abs(v / axes[1]) ** power < 1)

    while (face * inside()).sum() > 0.5 * face.sum():
        axes *= 0.8
    return np.asarray(np.where(inside()[..., None], colour, image))


def _pale_colour(rng: np.random.Generator, near: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """A colour of low saturation, display values; near another one if that is given."""
    brightness = rng.uniform(0, 1) if near is None else near.mean() + rng.normal(0, 0.2)
    return np.asarray(np.clip(brightness + rng.choice([0.03, 0.08, 0.15]) * rng.normal(0, 1, 3), 0, 1))


def _clouds(rng: np.random.Generator, size: int) -> Image:
    """Noise whose detail falls with its frequency, as in photographs."""
    total: Tensor = torch.zeros(1, 3, size, size)
    fall = rng.uniform(0.3, 1.2)
    for cells in (2, 3, 5, 9, 17, 33):
        noise = rng.normal(0, 1, (1, 1, cells, cells)) + 0.3 * rng.normal(0, 1, (1, 3, cells, cells))
        scaled = F.interpolate(torch.from_numpy(noise).float(), (size, size), mode="bilinear", align_corners=True)
        total = total + scaled * cells**-fall
    return np.asarray(total[0].permute(1, 2, 0).double().numpy())


def _shape(rng: np.random.Generator, x: Image, y: Image) -> Image:
    """An ellipse or a box, nearly upright, as 0 and 1."""
    cx, cy = rng.uniform(-0.1, 1.1, 2)
    width, height = rng.uniform(0.04, 0.6, 2)
    turn, power = rng.normal(0, 0.12), rng.choice([2, 30, 30])
    u = ((x - cx) * math.cos(turn) + (y - cy) * math.sin(turn)) / width
    v = ((y - cy) * math.cos(turn) - (x - cx) * math.sin(turn)) / height
    radius = u * u + v * v if power == 2 else np.maximum(np.abs(u), np.abs(v))
    return np.asarray(radius < 1, dtype=np.float64)


def _blur(picture: Image, sigma: float) -> Image:
    if sigma < 0.2:
        return picture
    image = torch.from_numpy(picture).float().permute(2, 0, 1)[None]
    return gaussian_blur(image, sigma)[0].permute(1, 2, 0).double().numpy()


def gaussian_blur(images: Tensor, sigma: float) -> Tensor:
    """Blur images (B, C, S, S) with repeated borders."""
    radius = max(1, round(2.5 * sigma))
    kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).to(images).expand(images.shape[1], 1, -1)
    padded = F.pad(images, (radius,) * 4, mode="replicate")
    rows = F.conv2d(padded, kernel[:, :, None], groups=images.shape[1])
    return F.conv2d(rows, kernel[..., None], groups=images.shape[1])
