"""What MHPE says of images, and the total loss of one step (slides, equation 9)."""

from typing import NamedTuple

import torch
from torch import Tensor

from mhpe.config import CoreConfig
from mhpe.model.losses import (
    dist_loss,
    distance_noise,
    feat_ortho_loss,
    pairwise_triple_distance,
    triple_distance,
    vector_loss,
    vector_ortho_loss,
)
from mhpe.model.network import StepLoss
from mhpe.model.scme import MatrixFisher

PARTS = ("vector", "vector_ortho", "dist", "nll", "feat_ortho")
"""The five losses, in the order of their Greek weights alpha, beta, gamma, eta, mu."""


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


def total_loss(
    output: Output,
    rotations: Tensor,
    inputs: Tensor,
    references: Tensor,
    config: CoreConfig,
    noise: torch.Generator,
) -> StepLoss:
    """Equation 9 over a batch whose distinct images were encoded once.

    The losses of single images are a mean over the B inputs plus, if references are supervised, a mean
    over the B x K references; an image that serves several inputs counts as often.

    Args:
        output: of the M distinct images.
        rotations: (M, 3, 3) their labels.
        inputs: (B,) positions of the inputs among the M.
        references: (B, K) positions of the references among the M.
        config: weights, c, and whether references are supervised.
        noise: generator of the distance noise.
    """
    single = torch.stack(
        (
            vector_loss(output.raw, rotations),
            vector_ortho_loss(output.raw),
            output.distribution.negative_log_likelihood(rotations),
            feat_ortho_loss(output.z),
        )
    )
    vector, vector_ortho, nll, feat_ortho = single[:, inputs].mean(1) + (
        single[:, references.flatten()].mean(1) if config.supervise_references else 0
    )
    distance = pairwise_triple_distance(output.z[inputs], output.z).gather(1, references)
    target = triple_distance(rotations[inputs][:, None], rotations[references])
    dist = dist_loss(distance_noise(distance, config.noise_c, noise), target).mean()
    w = config.losses
    # Numbers as factors stay on the host; a tensor of them would have to be sent to the device and waited for.
    total = w.vector * vector + w.vector_ortho * vector_ortho + w.dist * dist + w.nll * nll + w.feat_ortho * feat_ortho
    return StepLoss(total, torch.stack((vector, vector_ortho, dist, nll, feat_ortho)).detach())
