"""Augmentation of a batch of training images, in groups that share their parameters."""

from typing import NamedTuple

import torch
import torchvision.transforms.v2.functional as tv
from torch import Tensor

from mhpe.config import AugmentationConfig


class Parameters(NamedTuple):
    """A step's parameter sets, G of each.

    Attributes:
        side: side of the square that is cut, as a share of the image.
        right: shift of its centre to the right, as a share of the image.
        down: shift of its centre downwards.
        brightness: factor.
        contrast: factor.
        saturation: factor.
        sigma: Gaussian blur in pixels, 0 for none.
    """

    side: list[float]
    right: list[float]
    down: list[float]
    brightness: list[float]
    contrast: list[float]
    saturation: list[float]
    sigma: list[float]


class Augmentation:
    """Scale, shift, colour and blur.

    A step draws G sets of parameters, and every image of the training set gets one of them at random, so
    that an image looks the same in a step whichever sampler chose it. Images of one group go through
    torchvision together, which costs a fraction of treating them one by one.

    Args:
        config: how much is changed.
        images: number of images in the training set.
        generator: of the stream "augmentation"; lives on the CPU, where parameters are needed.
    """

    def __init__(self, config: AugmentationConfig, images: int, generator: torch.Generator) -> None:
        self.config = config
        self.generator = generator
        self._group_of = torch.randint(config.groups, (images,), generator=generator)

    def draw(self) -> Parameters:
        """The next step's parameter sets."""
        c = self.config
        u = torch.rand(8, c.groups, generator=self.generator)
        signed = 2 * u - 1
        return Parameters(
            side=(1 + c.scale * signed[0]).tolist(),
            right=(c.shift * signed[1]).tolist(),
            down=(c.shift * signed[2]).tolist(),
            brightness=(1 + c.colour * signed[3]).tolist(),
            contrast=(1 + c.colour * signed[4]).tolist(),
            saturation=(1 + c.colour * signed[5]).tolist(),
            sigma=torch.where(u[6] < c.blur, 0.3 + u[7], 0.0).tolist(),
        )

    def __call__(self, images: Tensor, index: Tensor) -> Tensor:
        """Augment one step's images.

        Args:
            images: (M, 3, S, S) bytes.
            index: (M,) the images' numbers in the training set, on the CPU.

        Returns:
            (M, 3, S, S) bytes, channels last.
        """
        parameters = self.draw()
        group_of = self._group_of[index]
        result = torch.empty_like(images, memory_format=torch.channels_last)
        for group in range(self.config.groups):
            members = (group_of == group).nonzero().squeeze(1).to(images.device)
            if len(members):
                result[members] = _apply(images[members], *(values[group] for values in parameters))
        return result


def _apply(
    images: Tensor,
    side: float,
    right: float,
    down: float,
    brightness: float,
    contrast: float,
    saturation: float,
    sigma: float,
) -> Tensor:
    size = images.shape[-1]
    pixels = round(side * size)
    top, left = (round((0.5 + shift - side / 2) * size) for shift in (down, right))
    # The square may leave the image: the border is repeated as far as it does.
    margin = max(0, -top, -left, top + pixels - size, left + pixels - size)
    if margin:
        images = tv.pad(images, [margin], padding_mode="edge")
    images = tv.resized_crop(images, top + margin, left + margin, pixels, pixels, [size, size])
    if brightness != 1:
        images = tv.adjust_brightness(images, brightness)
    if contrast != 1:
        images = tv.adjust_contrast(images, contrast)
    if saturation != 1:
        images = tv.adjust_saturation(images, saturation)
    if sigma:
        images = tv.gaussian_blur(images, [3, 3], [sigma])
    return images
