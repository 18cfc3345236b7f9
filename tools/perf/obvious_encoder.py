"""The slides' encoder as it is written first, for ``bench perf``."""

import torch
from torch import Tensor, nn

from mhpe.model.attention import ModifiedSpatialAttention
from mhpe.model.encoder import triple_vector

WIDTHS = (16, 32, 64, 96)
"""Channels of the blocks: about as many multiplications as the suite's encoder has."""


class ObviousEncoder(nn.Module):
    """The slides' encoder as it is written first.

    Two 3x3 convolutions with batch norm and ReLU a block, the first with stride 2; attention after each block, its
    means and maxima by ``mean`` and ``amax``; global maximum by ``amax``.

    Args:
        m: rows of the triple vector.
    """

    def __init__(self, m: int) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        channels = 3
        for width in WIDTHS:
            for inputs, stride in ((channels, 2), (width, 1)):
                blocks += [nn.Conv2d(inputs, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            blocks += [ObviousChannelAttention(width), ModifiedSpatialAttention(width)]
            channels = width
        self.blocks = nn.Sequential(*blocks)
        self.features = nn.Conv2d(channels, 3 * m, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, m, 3)."""
        return triple_vector(self.features(self.blocks(images)).amax((2, 3)))


class ObviousChannelAttention(nn.Module):
    """CBAM's channel attention with ``mean`` and ``amax``."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        hidden = max(channels // reduction, 4)
        self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        weight = torch.sigmoid(self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3))))
        return x * weight[:, :, None, None]
