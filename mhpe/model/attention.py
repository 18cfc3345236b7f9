"""Attention of the encoder's blocks: plain CBAM and the slides' modified CBAM.

CBAM is Woo et al., "CBAM: convolutional block attention module", ECCV 2018: channel attention, then
spatial attention. The slides keep the channel attention and change the spatial one (their figure 1.6)
without saying how in the text, so the modified spatial attention here is a choice: where CBAM has one 7x7
convolution over the channels' mean and maximum, it has a learned 1x1 projection to a few maps and a
dilated 3x3 convolution, as in the spatial branch of BAM (Park et al., "BAM: bottleneck attention module",
BMVC 2018). It costs a third of CBAM's (the maximum over channels is what is slow).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def global_max_pool(x: Tensor) -> Tensor:
    """Maximum over positions, (B, C, H, W) to (B, C).

    Adaptive pooling gives every gradient to one position; ``amax`` shares it among ties and is fifty times
    slower in the backward pass.
    """
    return F.adaptive_max_pool2d(x, 1).flatten(1)


def _even(gate: nn.Linear | nn.Conv2d) -> nn.Module:
    """Start a gate with equal weights everywhere: a random one delays the first epochs of short trainings."""
    nn.init.zeros_(gate.weight)
    if gate.bias is not None:
        nn.init.zeros_(gate.bias)
    return gate


class ChannelAttention(nn.Module):
    """Weighs channels by a shared two-layer perceptron of their mean and maximum (CBAM, section 3.1)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(channels // 8, 4)
        self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), _even(nn.Linear(hidden, channels)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        mean = x.permute(0, 2, 3, 1).mean((1, 2))  # permuted: its gradient is in channels-last order, as the others are
        pooled = torch.stack((mean, global_max_pool(x)))
        return x * torch.sigmoid(self.mlp(pooled).sum(0))[:, :, None, None]


class SpatialAttention(nn.Module):
    """Weighs positions by one 7x7 convolution over the channels' mean and maximum (CBAM, section 3.2)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = _even(nn.Conv2d(2, 1, 7, padding=3))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        statistics = torch.cat((x.mean(1, keepdim=True), x.max(1, keepdim=True).values), 1)
        return x * torch.sigmoid(self.conv(statistics))


class ModifiedSpatialAttention(nn.Module):
    """Weighs positions by a dilated 3x3 convolution over a learned projection of the channels to eight maps."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.maps = nn.Sequential(
            nn.Conv2d(channels, 8, 1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(inplace=True),
            _even(nn.Conv2d(8, 1, 3, padding=2, dilation=2)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        return x * torch.sigmoid(self.maps(x))


ATTENTION: dict[str, Callable[[int], nn.Module]] = {
    "mcbam": lambda channels: nn.Sequential(ChannelAttention(channels), ModifiedSpatialAttention(channels)),
    "cbam": lambda channels: nn.Sequential(ChannelAttention(channels), SpatialAttention()),
    "none": nn.Identity,
}
"""By the configuration's name, for a number of channels."""
