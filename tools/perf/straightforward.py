"""Straightforward code for what the suite does: the training as it is written first, and log c by a trapezoid rule.

A ``Dataset`` gives an input with its K references: it weighs every image of the training set for its input, draws K of
them, and decodes, crops, augments and scales all K + 1 images. A ``DataLoader`` makes batches of them, and each of the
(K + 1) B images is encoded in float32. Network, losses, optimizer and extent of the augmentation are the suite's.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from mhpe.config import CoreConfig
from mhpe.model.encoder import MEAN, SCALE
from mhpe.model.heads import build
from mhpe.model.network import Network, StepLoss
from mhpe.poses import Poses
from mhpe.seeding import generator
from samplers.yaw_bins import YawBins
from tools.perf.synthetic_data import FACE


class GaussianChoice:
    """The sampler ``gaussian`` for one input at a time, with NumPy; yaw (N,) and sigma in degrees."""

    def __init__(self, yaw: NDArray[np.float32], sigma: float) -> None:
        bins = YawBins(20)
        bin_of = bins.of(torch.from_numpy(yaw)).numpy()
        self._yaw, self._sigma = yaw, sigma
        self._centre_of = bins.centres.numpy()[bin_of]
        self._images_in_bin_of = np.bincount(bin_of)[bin_of]

    def __call__(self, item: int, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw (k,) images by the weights of their bins' centres."""
        distance = (self._centre_of - self._yaw[item] + 180) % 360 - 180
        weights = np.exp(-(distance**2) / (2 * self._sigma**2)) / self._images_in_bin_of
        weights[item] = 0
        return rng.choice(len(weights), k, replace=False, p=weights / weights.sum())


class InputsWithReferences(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """An input and its references, decoded each time; ``sampler`` draws the references of one input."""

    def __init__(self, files: Sequence[Path], poses: Poses, sampler: GaussianChoice, config: CoreConfig) -> None:
        self._files, self._poses, self._sampler, self._k = files, poses, sampler, config.k
        self._size, self._flip = config.image_size, config.augmentation.flip
        extent = config.augmentation
        self._transform = v2.Compose(
            [
                v2.RandomAffine(0, (extent.shift, extent.shift), (1 - extent.scale, 1 + extent.scale)),
                v2.ColorJitter(extent.colour, extent.colour, extent.colour),
                v2.RandomApply([v2.GaussianBlur(3, (0.3, 1.3))], extent.blur),
            ]
        )
        self._rng = np.random.default_rng(0)

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, item: int) -> tuple[Tensor, Tensor, Tensor]:
        """Images (K + 1, 3, S, S), rotations (K + 1, 3, 3) and angles (K + 1, 3), the input first."""
        numbers = torch.tensor([item, *self._sampler(item, self._k, self._rng)])
        flipped = torch.rand(len(numbers)) < self._flip
        poses = self._poses[numbers].flipped(flipped)
        images = [self._load(int(n), bool(f)) for n, f in zip(numbers, flipped, strict=True)]
        return torch.stack(images), poses.rotations, poses.angles

    def _load(self, number: int, flipped: bool) -> Tensor:
        with Image.open(self._files[number]) as file:
            image = file.convert("RGB").crop(FACE)
        image = image.resize((self._size, self._size), Image.Resampling.BILINEAR)
        if flipped:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return torch.sub(self._transform(v2.functional.pil_to_tensor(image)), MEAN).div_(SCALE)


def straightforward_loop(data: InputsWithReferences, config: CoreConfig, device: torch.device) -> Iterator[Network]:
    """Train for an epoch, in which every image of a batch is encoded by itself; yields the network after each step."""
    network = build(config, 0).to(device).to(memory_format=torch.contiguous_format)
    optimizer = torch.optim.Adam(network.parameters(), config.learning_rate)
    noise = generator(0, "noise")
    for batch in DataLoader(data, config.batch_size, shuffle=True, drop_last=True):
        images, rotations, angles = (values.to(device) for values in batch)
        optimizer.zero_grad()
        straightforward_loss(network, images, rotations, angles, noise).total.backward()
        optimizer.step()
        yield network


def straightforward_loss(
    network: Network, images: Tensor, rotations: Tensor, angles: Tensor, noise: torch.Generator
) -> StepLoss:
    """Loss of a batch whose every reference of every input is encoded.

    Images (B, K + 1, 3, S, S) are normalised, rotations (B, K + 1, 3, 3), angles in degrees, inputs first.
    """
    batch, each = images.shape[:2]
    numbers = torch.arange(batch * each, device=images.device)
    poses = Poses(rotations.flatten(0, 1), angles.flatten(0, 1), numbers, numbers)
    position = numbers.view(batch, each)
    output = network(images.flatten(0, 1))
    return network.loss(output, poses, position[:, 0], position[:, 1:], noise)


def trapezoid_log_c(s: Tensor, steps: int = 512) -> Tensor:
    """Log c of the matrix Fisher distribution by the trapezoid rule, differentiated by autograd.

    The integral that common code sums (T. Lee, IEEE TAC 2018; D. Mohlin et al., NeurIPS 2020):
    ``c = 1/2 int_-1^1 I0((s1-s2)(1-u)/2) I0((s1+s2)(1+u)/2) e^(s3 u) du``, for (B, 3) proper singular values.
    """
    s1, s2, s3 = s[:, :1], s[:, 1:2], s[:, 2:]
    u = torch.linspace(-1, 1, steps, dtype=s.dtype, device=s.device)
    minus, plus, scale = (s1 - s2) / 2 * (1 - u), (s1 + s2) / 2 * (1 + u), s.sum(1)
    exponent = (minus + plus + s3 * u - scale[:, None]).exp()
    values = torch.special.i0e(minus) * torch.special.i0e(plus) * exponent / 2
    return torch.trapezoid(values, u).log() + scale
