"""MHPE's training as it is written first: the reference that ``bench perf`` measures the suite's own loop against.

A ``Dataset`` gives an input with its K references: it weighs every image of the training set for its input, draws K of
them, and decodes, crops, augments and scales all K + 1 images; a ``DataLoader`` makes batches of them, and each of
the (K + 1) B images is encoded in float32. Head, losses, optimizer and
augmentation's extent are the suite's.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from mhpe.config import AugmentationConfig, CoreConfig
from mhpe.data.crops import Box
from mhpe.model.encoder import MEAN, SCALE
from mhpe.model.heads import build
from mhpe.model.network import Network, StepLoss
from mhpe.poses import Poses
from mhpe.seeding import generator
from samplers.yaw_bins import YawBins


class GaussianChoice:
    """The sampler ``gaussian`` for one input at a time, with NumPy.

    Args:
        yaw: (N,) degrees, of the training set.
        sigma: degrees.
        bin_width: degrees.
    """

    def __init__(self, yaw: NDArray[np.float32], sigma: float, bin_width: float = 20.0) -> None:
        bins = YawBins(bin_width)
        bin_of = bins.of(torch.from_numpy(yaw)).numpy()
        self._yaw, self._sigma = yaw, sigma
        self._centre_of = bins.centres.numpy()[bin_of]
        self._images_in_bin_of = np.bincount(bin_of)[bin_of]

    def __call__(self, item: int, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """(k,) images, drawn by the weight of their bin's centre."""
        way = (self._centre_of - self._yaw[item] + 180) % 360 - 180
        weights = np.exp(-(way**2) / (2 * self._sigma**2)) / self._images_in_bin_of
        weights[item] = 0
        return rng.choice(len(weights), k, replace=False, p=weights / weights.sum())


class InputsWithReferences(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """An input and its references, decoded anew each time.

    Args:
        files: N images.
        box: the face's square, the same in all of them.
        poses: of the images.
        sampler: draws references of one input.
        config: the core.
    """

    def __init__(
        self, files: Sequence[Path], box: Box, poses: Poses, sampler: GaussianChoice, config: CoreConfig
    ) -> None:
        self._files, self._box, self._poses, self._sampler, self._k = files, box, poses, sampler, config.k
        self._size, self._flip = config.image_size, config.augmentation.flip
        self._transform = transform(config.augmentation)
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
            image = file.convert("RGB").crop(self._box)
        image = image.resize((self._size, self._size), Image.Resampling.BILINEAR)
        if flipped:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return torch.sub(self._transform(v2.functional.pil_to_tensor(image)), MEAN).div_(SCALE)


def transform(config: AugmentationConfig) -> v2.Transform:
    """The suite's augmentation of one image with torchvision's transforms."""
    return v2.Compose(
        [
            v2.RandomAffine(0, (config.shift, config.shift), (1 - config.scale, 1 + config.scale)),
            v2.ColorJitter(config.colour, config.colour, config.colour),
            v2.RandomApply([v2.GaussianBlur(3, (0.3, 1.3))], config.blur),
        ]
    )


class Straightforward:
    """The training, a batch at a time.

    Args:
        data: the training set.
        config: the core.
        device: where to train.
        encoder: of the network; the suite's own, in the usual memory format, for None.
    """

    def __init__(
        self, data: InputsWithReferences, config: CoreConfig, device: torch.device, encoder: nn.Module | None
    ) -> None:
        self._config, self._device = config, device
        self._loader = DataLoader(data, config.batch_size, shuffle=True, drop_last=True)
        self._batches = iter(self._loader)
        self._network = build(config, 0)
        if encoder is not None:
            self._network.encoder = encoder  # type: ignore[assignment]
        self._network.to(device).to(memory_format=torch.contiguous_format)
        self._optimizer = torch.optim.Adam(self._network.parameters(), config.learning_rate)
        self._noise = generator(0, "noise")

    def step(self) -> None:
        """Train on the next batch."""
        images, rotations, angles = (values.to(self._device) for values in next(self._batches))
        self._optimizer.zero_grad()
        straightforward_loss(self._network, images, rotations, angles, self._noise).total.backward()
        self._optimizer.step()


def straightforward_loss(
    network: Network, images: Tensor, rotations: Tensor, angles: Tensor, noise: torch.Generator
) -> StepLoss:
    """The loss of a batch in which every reference of every input is encoded.

    Args:
        network: in training or evaluation mode.
        images: (B, K + 1, 3, S, S) normalised, the inputs first.
        rotations: (B, K + 1, 3, 3).
        angles: (B, K + 1, 3) degrees.
        noise: generator of the distance noise.
    """
    batch, each = images.shape[:2]
    numbers = torch.arange(batch * each, device=images.device)
    poses = Poses(rotations.flatten(0, 1), angles.flatten(0, 1), numbers, numbers)
    position = numbers.view(batch, each)
    output = network(images.flatten(0, 1))
    return network.loss(output, poses, position[:, 0], position[:, 1:], noise)
