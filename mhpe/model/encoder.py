"""The encoder: from an image to the features of its triple vector (slides, figures 1.2 to 1.6)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mhpe.config import EncoderConfig
from mhpe.model.attention import ATTENTION, global_max_pool
from mhpe.model.backbones import backbone

MEAN, SCALE = 127.5, 64.0
"""Bytes are normalised to ``(byte - MEAN) / SCALE``."""


class ConvolutionBlock(nn.Sequential):
    """Convolution, batch norm, ReLU, twice; the first convolution makes the image smaller.

    It reads non-overlapping patches with sides of ``patch`` pixels, or 3x3 pixels with stride 2 if that is 0.
    """

    def __init__(self, channels_in: int, channels_out: int, patch: int = 0) -> None:
        kernel, stride, padding = (patch, patch, 0) if patch else (3, 2, 1)
        super().__init__(
            nn.Conv2d(channels_in, channels_out, kernel, stride, padding, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        )


def convolution_blocks(config: EncoderConfig) -> tuple[nn.Module, int]:
    """The blocks, each followed by its attention, and the channels they end with."""
    blocks: list[nn.Module] = []
    channels = 3
    for i, width in enumerate(config.widths):
        blocks += [ConvolutionBlock(channels, width, config.patch if i == 0 else 0), ATTENTION[config.attention](width)]
        channels = width
    return nn.Sequential(*blocks), channels


def triple_vector(features: Tensor) -> Tensor:
    """NO of the slides: features (B, m, 3) with columns of unit length."""
    return F.normalize(features, dim=1)


class Encoder(nn.Module):
    """Convolution blocks with attention (or a backbone), global max pooling (GMP), reshaped (RS)."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.blocks, channels = (
            backbone(config.backbone, config.backbone_weights) if config.backbone else convolution_blocks(config)
        )
        self.features = nn.Conv2d(channels, 3 * config.m, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (B, 3, S, S) to features (B, m, 3) in float32."""
        return torch.unflatten(global_max_pool(self.features(self.blocks(images))).float(), 1, (-1, 3))


def normalise(images: Tensor) -> Tensor:
    """Images (B, 3, S, S) of bytes to float32 with about zero mean and unit variance, channels last."""
    return torch.sub(images, MEAN).div_(SCALE).contiguous(memory_format=torch.channels_last)
