"""MHPE: the encoder and its SCME."""

import torch
from torch import Tensor

from mhpe.model.encoder import triple_vector
from mhpe.model.network import Network, Prediction, StepLoss
from mhpe.model.objective import PARTS, Output, total_loss
from mhpe.model.scme import SCME, project
from mhpe.poses import Poses


class MHPE(Network):
    """The slides' network."""

    parts = PARTS

    def add_head(self) -> None:
        """One SCME for inputs and references, or one for each."""
        m, separate = self.config.encoder.m, self.config.separate_scme and self.config.reference_losses
        self.scme = SCME(m)
        self.reference_scme = SCME(m) if separate else None

    def output(self, features: Tensor) -> Output:
        """RE's raw matrices and PM's distribution; those of the references if their SCME is another one."""
        z = triple_vector(features)
        concentration_input = self._concentration_input(features, z)
        reference = self.reference_scme(z, concentration_input) if self.reference_scme else None
        raw, distribution = self.scme(z, concentration_input)
        return Output(z, raw, distribution, reference)

    def loss(
        self, output: Output, poses: Poses, inputs: Tensor, references: Tensor, noise: torch.Generator
    ) -> StepLoss:
        """Equation 9."""
        return total_loss(output, poses.rotations, inputs, references, self.config, noise)

    def answer(self, features: Tensor) -> Prediction:
        """RE alone gives the rotation; CM says how sure it is."""
        z = triple_vector(features)
        return Prediction(
            project(self.scme.rotation_estimator(z)),
            self.scme.concentration_module(self._concentration_input(features, z)).strength,
        )

    def _concentration_input(self, features: Tensor, z: Tensor) -> Tensor:
        return features if self.config.concentration_input == "raw" else z
