"""Augmentation that makes rendered heads vary as photographs do, in everything but the head's pose."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

PATCHES = 2
SURROUNDINGS = 0.25  # share of images that lose what surrounds the face: hair and outline say less than it does


def photographic(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Change colour, light, texture, sharpness and noise, and cover parts.

    Args:
        images: (M, 3, S, S) display values in [0, 1].
        strength: of colour and light; 1 is strong.
        generator: on the CPU; a seed draws the same on every device.
    """
    m, size = len(images), images.shape[-1]
    x = images.float()

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return (low + (high - low) * torch.rand(m, *(shape or (1, 1, 1)), generator=generator)).to(x.device)

    def normal(*shape: int) -> Tensor:
        return torch.randn(m, *shape, generator=generator).to(x.device)

    # Colour: saturation, a tenth of them grey; gamma, a little by channel; contrast and brightness.
    grey = x.mean(1, keepdim=True)
    saturation = uniform(max(0.0, 1 - 1.2 * strength), 1 + 0.6 * strength) * (uniform(0, 1) > 0.12)
    x = (grey + (x - grey) * saturation).clamp(1e-3, 1)
    x = x ** (uniform(-0.6, 0.6) * strength + 0.12 * strength * normal(3, 1, 1)).exp()
    mean = x.mean((1, 2, 3), keepdim=True)
    contrast, brightness = (uniform(-0.6, 0.5) * strength).exp(), (uniform(-0.4, 0.3) * strength).exp()
    x = (x - mean) * contrast + mean * brightness
    # Light: smooth fields that make places brighter and darker.
    for cells in (2, 4):
        field = normal(1, cells, cells) + 0.3 * normal(3, cells, cells)
        field = F.interpolate(field, (size, size), mode="bilinear", align_corners=True)
        x = x * (0.36 * strength * uniform(0, 1).square() * field).exp()
    # Texture: a random convolution mixed in (Xu et al. 2021).
    kernels = normal(9, 3, 3).reshape(3 * m, 3, 3, 3) / math.sqrt(27)
    mixed = F.conv2d((x - 0.5).reshape(1, -1, size, size), kernels, padding=1, groups=m).view_as(x) + 0.5
    x = torch.lerp(x, mixed, uniform(0, 0.8) * (uniform(0, 1) < 0.15))
    # Camera: fewer pixels, sharpening, noise.
    small = round(size * (0.4 + 0.5 * torch.rand(1, generator=generator).item()))
    coarse = F.interpolate(x, (small, small), mode="bilinear", antialias=True)
    x = torch.where(uniform(0, 1) < 0.2, F.interpolate(coarse, (size, size), mode="bilinear"), x)
    soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
    x = x + uniform(0, 0.7) * (uniform(0, 1) < 0.5) * (x - soft)
    x = x + 0.04 * uniform(0, 1).square() * normal(3, size, size)
    # Cover: patches, and what surrounds the face, by one colour or another image; black beyond a photograph's edge.
    along = torch.arange(size, device=x.device) + 0.5
    right, down = along.expand(size, size), along[:, None].expand(size, size)

    def filling() -> Tensor:
        return torch.where(uniform(0, 1) < 0.5, x.roll(1, 0).roll(size // 3, 3), uniform(0, 1, 3, 1, 1))

    for _ in range(PATCHES):
        across, along_y = ((at - uniform(0, size)).abs() - uniform(0.05, 0.22) * size for at in (right, down))
        x = torch.where((torch.maximum(across, along_y) < 0) & (uniform(0, 1) < 0.2), filling(), x)
    radius = ((right / size - uniform(0.45, 0.55)) / uniform(0.24, 0.42)).square()
    radius = radius + ((down / size - uniform(0.47, 0.62)) / uniform(0.3, 0.45)).square()
    x = torch.lerp(x, filling(), ((radius - 1) * 4).clamp(0, 1) * (uniform(0, 1) < SURROUNDINGS))
    edge = uniform(0, 0.3) * size * (uniform(0, 1) < 0.15)
    side = uniform(0, 4).floor()
    beyond = (((right < edge) & (side == 0)) | ((right >= size - edge) & (side == 1))) | (
        ((down < edge) & (side == 2)) | ((down >= size - edge) & (side == 3))
    )
    return torch.where(beyond, 0, x).clamp(0, 1)
