"""MHPE: the encoder and its SCME."""

import torch
from torch import Tensor

from mhpe.model.network import Network, Prediction, StepLoss
from mhpe.model.objective import PARTS, Output, total_loss
from mhpe.model.scme import SCME, project
from mhpe.poses import Poses


class MHPE(Network):
    """The slides' network."""

    parts = PARTS

    def add_head(self) -> None:
        """One SCME for input and references."""
        self.scme = SCME(self.config.encoder.m)

    def output(self, z: Tensor) -> Output:
        """RE's raw matrices and PM's distribution of triple vectors (B, m, 3)."""
        return Output(z, *self.scme(z))

    def loss(
        self, output: Output, poses: Poses, inputs: Tensor, references: Tensor, noise: torch.Generator
    ) -> StepLoss:
        """Equation 9."""
        return total_loss(output, poses.rotations, inputs, references, self.config, noise)

    def answer(self, z: Tensor) -> Prediction:
        """RE alone gives the rotation; CM says how sure it is."""
        return Prediction(
            project(self.scme.rotation_estimator(z)),
            self.scme.concentration_module(z).strength,
        )
