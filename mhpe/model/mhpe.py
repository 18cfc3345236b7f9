"""MHPE: the encoder, its SCME and the loss of one step (slides, equation 9)."""

from typing import NamedTuple

import torch
from torch import Tensor

from mhpe.model.encoder import triple_vector
from mhpe.model.losses import (
    METRIC_LOSSES,
    absolute_vector_loss,
    dist_loss,
    distance_noise,
    feat_ortho_loss,
    pairwise_triple_distance,
    triple_distance,
    vector_loss,
    vector_ortho_loss,
)
from mhpe.model.network import Network, Prediction, StepLoss
from mhpe.model.scme import SCME, MatrixFisher, project
from mhpe.poses import Poses

PARTS = ("vector", "vector_ortho", "dist", "nll", "feat_ortho")
"""The five losses, in the order of their weights alpha, beta, gamma, eta, mu."""


class Output(NamedTuple):
    """What the loss needs of B images."""

    z: Tensor  # (B, m, 3) triple vectors
    raw: Tensor  # (B, 3, 3) RE's raw matrices
    distribution: MatrixFisher  # PM's
    reference: tuple[Tensor, MatrixFisher] | None = None  # both by the references' SCME, if that is another one


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
        """Equation 9.

        The losses of single images are a mean over the B inputs plus ``reference_weight`` times a mean over the B x K
        references; an image that serves several inputs counts as often.
        """
        rotations = poses.rotations
        single = self._single_image_losses(output.raw, output.distribution, output.z, rotations)
        means = single[:, inputs].mean(1)
        if self.config.reference_losses:
            if output.reference is not None:
                single = self._single_image_losses(*output.reference, output.z, rotations)
            means = means + self.config.reference_weight * single[:, references.flatten()].mean(1)
        vector, vector_ortho, nll, feat_ortho = means
        dist = self._metric_loss(output.z, rotations, inputs, references, noise)
        w = self.config.losses
        # Numbers as factors stay on the host; a tensor of them would have to be sent to the device and waited for.
        total = w.vector * vector + w.vector_ortho * vector_ortho + w.dist * dist + w.nll * nll
        total = total + w.feat_ortho * feat_ortho
        return StepLoss(total, torch.stack((vector, vector_ortho, dist, nll, feat_ortho)).detach())

    def answer(self, features: Tensor) -> Prediction:
        """RE alone gives the rotation; CM says how sure it is."""
        z = triple_vector(features)
        return Prediction(
            project(self.scme.rotation_estimator(z)),
            self.scme.concentration_module(self._concentration_input(features, z))[0],
        )

    def _concentration_input(self, features: Tensor, z: Tensor) -> Tensor:
        return features if self.config.concentration_input == "raw" else z

    def _single_image_losses(self, raw: Tensor, distribution: MatrixFisher, z: Tensor, rotations: Tensor) -> Tensor:
        """Equations 4 to 7 of M images, (4, M)."""
        vector = absolute_vector_loss if self.config.vector_error == "absolute" else vector_loss
        return torch.stack(
            (
                vector(raw, rotations),
                vector_ortho_loss(raw),
                distribution.negative_log_likelihood(rotations, self.config.nll_factor),
                feat_ortho_loss(z),
            )
        )

    def _metric_loss(
        self, z: Tensor, rotations: Tensor, inputs: Tensor, references: Tensor, noise: torch.Generator
    ) -> Tensor:
        """Mean over the inputs of the loss between an input and its references; 0 without references."""
        if not references.numel():
            return z.new_zeros(())
        distance = pairwise_triple_distance(z[inputs], z).gather(1, references)
        target = triple_distance(rotations[inputs][:, None], rotations[references])
        if self.config.metric_loss == "distance":
            return dist_loss(distance_noise(distance, self.config.noise_c, noise), target).mean()
        return METRIC_LOSSES[self.config.metric_loss](distance, target).mean()
