"""MHPE: the encoder and its SCME."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mhpe.config import CoreConfig
from mhpe.encoder import Encoder, normalise
from mhpe.precision import autocast
from mhpe.scme import SCME, MatrixFisher, project
from mhpe.seeding import generator


class Output(NamedTuple):
    """What the network says of B images.

    Attributes:
        z: (B, m, 3) triple vectors.
        raw: (B, 3, 3) RE's raw matrices.
        distribution: PM's matrix Fisher distribution.
    """

    z: Tensor
    raw: Tensor
    distribution: MatrixFisher


class Prediction(NamedTuple):
    """The answer for B images.

    Attributes:
        rotations: (B, 3, 3) canonical rotations, float32.
        strengths: (B, 3) concentration, s1 >= s2 >= s3 >= 0.
    """

    rotations: Tensor
    strengths: Tensor


class MHPE(nn.Module):
    """The network. Input and references go through the same weights.

    Args:
        config: the core's configuration.
        seed: seed of the initial weights; PyTorch's global generator is left as it was.
    """

    def __init__(self, config: CoreConfig, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(generator(seed, "weights").initial_seed())
            self.encoder = Encoder(config.encoder)
            self.scme = SCME(config.encoder.m)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor, dtype: torch.dtype = torch.float32) -> Output:
        """Images of bytes (B, 3, S, S) to the network's output; the encoder computes in ``dtype``."""
        with autocast(dtype, images.device):
            z = self.encoder(normalise(images))
        return Output(z, *self.scme(z))

    @torch.no_grad()
    def predict(self, images: Tensor, batch_size: int = 256) -> Prediction:
        """Inference: the input stream alone, in float32.

        Args:
            images: (N, S, S, 3) bytes, anywhere.
            batch_size: images at a time.

        Returns:
            Predictions on the CPU.
        """
        self.eval()
        device = next(self.parameters()).device
        rotations, strengths = [], []
        for batch in images.split(batch_size):
            z = self.encoder(normalise(batch.to(device).permute(0, 3, 1, 2)))
            rotations.append(project(self.scme.rotation_estimator(z)).cpu())
            strengths.append(self.scme.concentration_module(z).strength.cpu())
        return Prediction(torch.cat(rotations), torch.cat(strengths))
