"""Plain regressors with the encoder of MHPE: is the core sound?

Each is one linear layer on the flattened triple vector, as RE is, with its own loss; none has a metric
loss. A fair comparison shows the same images to all: the sampler draws references for a baseline too, they are
encoded in the same batches, and ``reference_weight`` gives them the loss of the inputs. What is missing is
the distance between an input and its references, and MHPE's other terms.
"""

from abc import abstractmethod
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mhpe.model import rotation_laplace
from mhpe.model.encoder import triple_vector
from mhpe.model.matrix_fisher import log_normalizer, proper_svd
from mhpe.model.network import Network, Prediction, StepLoss
from mhpe.model.scme import project
from mhpe.poses import Poses
from mhpe.rotations import from_euler


class Baseline(Network):
    """A linear layer with ``numbers`` outputs, a loss of single images, and a conversion to rotations.

    The outputs begin near ``start`` where a rotation is undefined at 0.
    """

    parts = ("pose",)
    has_concentration = False
    numbers: ClassVar[int]
    start: ClassVar[tuple[float, ...]] = ()

    def add_head(self) -> None:
        """One linear layer."""
        self.linear = nn.Linear(3 * self.config.encoder.m, self.numbers)
        if self.start:
            with torch.no_grad():
                self.linear.bias.copy_(torch.tensor(self.start))

    def output(self, features: Tensor) -> Tensor:
        """The layer's numbers for the triple vectors of features (B, m, 3), (B, numbers)."""
        numbers: Tensor = self.linear(triple_vector(features).flatten(1))
        return numbers

    def loss(self, output: Tensor, poses: Poses, inputs: Tensor, references: Tensor, _: torch.Generator) -> StepLoss:
        """A mean over the inputs plus ``reference_weight`` times a mean over the references."""
        single = self.image_loss(output, poses)
        total = single[inputs].mean()
        if self.config.reference_losses:
            total = total + self.config.reference_weight * single[references.flatten()].mean()
        return StepLoss(total, total.detach()[None])

    def answer(self, features: Tensor) -> Prediction:
        """The rotation, without a confidence."""
        rotations = self.rotation(self.output(features))
        return Prediction(rotations, torch.full_like(rotations[..., 0], torch.nan))

    @abstractmethod
    def image_loss(self, output: Tensor, poses: Poses) -> Tensor:
        """Loss of each image, (M, numbers) and M poses to (M,)."""

    @abstractmethod
    def rotation(self, output: Tensor) -> Tensor:
        """Rotations (B, 3, 3) of the layer's numbers."""


class SixD(Baseline):
    """Two columns of the rotation by Gram-Schmidt, geodesic loss.

    Zhou et al., "On the continuity of rotation representations in neural networks", CVPR 2019; Hempel et al., "6D
    rotation representation for unconstrained head pose estimation", ICIP 2022.
    """

    numbers = 6
    start = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)

    def image_loss(self, output: Tensor, poses: Poses) -> Tensor:
        """Geodesic distance in radians; clamped just below a half-turn, where its gradient is infinite."""
        import roma  # loads torch._dynamo: seconds

        distance: Tensor = roma.rotmat_geodesic_distance(self.rotation(output), poses.rotations, clamping=1 - 1e-6)
        return distance

    def rotation(self, output: Tensor) -> Tensor:
        """Gram-Schmidt."""
        import roma  # loads torch._dynamo: seconds

        rotation: Tensor = roma.special_gramschmidt(output.unflatten(1, (3, 2)))
        return rotation


class Euler(Baseline):
    """Yaw, pitch and roll in radians, mean absolute error against the labels' own angles."""

    numbers = 3

    def image_loss(self, output: Tensor, poses: Poses) -> Tensor:
        """Mean absolute error of the three angles in radians."""
        return (output - torch.deg2rad(poses.angles)).abs().mean(1)

    def rotation(self, output: Tensor) -> Tensor:
        """From the angles."""
        return from_euler(torch.rad2deg(output))


class Bins(Baseline):
    """A class for every 3 degrees of yaw, pitch and roll, and the expectation over the classes.

    HopeNet's head: Ruiz, Chong and Rehg, "Fine-grained head pose estimation without keypoints", CVPR workshops 2018.
    """

    width = 3.0
    limit = 99.0
    count = 66
    numbers = 3 * count

    def image_loss(self, output: Tensor, poses: Poses) -> Tensor:
        """Sum over the angles of cross entropy and squared error of the expectation in bins."""
        logits = output.unflatten(1, (3, self.count))
        bins = ((poses.angles + self.limit) / self.width).long().clamp(0, self.count - 1)
        cross_entropy = F.cross_entropy(logits.transpose(1, 2), bins, reduction="none")
        squared = ((self._expectation(output) - poses.angles) / self.width).square()
        return (cross_entropy + squared).sum(1)

    def rotation(self, output: Tensor) -> Tensor:
        """From the expected angles."""
        return from_euler(self._expectation(output))

    def _expectation(self, output: Tensor) -> Tensor:
        """Expected yaw, pitch and roll in degrees, (B, 3)."""
        centres = torch.arange(self.count, device=output.device) * self.width + self.width / 2 - self.limit
        expected: Tensor = output.unflatten(1, (3, self.count)).softmax(2) @ centres
        return expected


class NineNumbers(Baseline):
    """Nine raw numbers as the parameter of a distribution of rotations; the nearest rotation to them is its mode."""

    numbers = 9
    start = (2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0)  # with some concentration

    def rotation(self, output: Tensor) -> Tensor:
        """The special orthogonal Procrustes solution."""
        return project(output.unflatten(1, (3, 3)))


class MatrixFisherHead(NineNumbers):
    """The nine numbers are F of a matrix Fisher distribution: no RE, no CM, and no other loss than its likelihood.

    Mohlin, Bianchi and Sullivan, "Probabilistic orientation estimation with matrix Fisher distributions", NeurIPS 2020.
    """

    has_concentration = True

    def image_loss(self, output: Tensor, poses: Poses) -> Tensor:
        """Negative log-likelihood."""
        F = output.unflatten(1, (3, 3))
        loss: Tensor = self.config.nll_factor * log_normalizer(F) - (F * poses.rotations).sum((1, 2))
        return loss

    def answer(self, features: Tensor) -> Prediction:
        """The mode and the singular values; an exported graph has no operator for these and gives no confidence."""
        if torch.compiler.is_exporting():
            return super().answer(features)
        output = self.output(features)
        return Prediction(self.rotation(output), proper_svd(output.unflatten(1, (3, 3)))[1])


class RotationLaplaceHead(NineNumbers):
    """The nine numbers are A of a rotation Laplace distribution (:mod:`mhpe.model.rotation_laplace`)."""

    def image_loss(self, output: Tensor, poses: Poses) -> Tensor:
        """Negative log-likelihood."""
        return rotation_laplace.negative_log_likelihood(output.unflatten(1, (3, 3)), poses.rotations)
