"""Augmentation of a batch of training images: mirror, scale, shift, blur and colour, as matrix products.

Scale, shift, blur and mirror are separable: each axis has one S x S resampling matrix, and a plane becomes
``rows @ plane @ columns^T``. Saturation mixes each colour with the pixel's grey; brightness and contrast are a
gain, which the rows' matrix takes along, and an offset. All of it is batched on the images' device; nothing
waits for the host.
"""

import torch
from torch import Tensor

from mhpe.config import AugmentationConfig
from mhpe.model.encoder import MEAN, SCALE
from mhpe.train.photographic import photographic

LUMA = (0.299, 0.587, 0.114)
"""Grey of a colour (ITU-R BT.601)."""


class Augmentation:
    """The augmentation of one epoch.

    A step draws G sets of parameters, and every image of the training set gets one of them at random, so
    that an image looks the same in a step whichever sampler chose it.

    Args:
        config: how much is changed.
        images: number of images in the training set.
        steps: of the epoch.
        generator: of the stream "augmentation", on the CPU.
        device: where the images are.
        dtype: of the result.
    """

    def __init__(
        self,
        config: AugmentationConfig,
        images: int,
        steps: int,
        generator: torch.Generator,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self._dtype = dtype
        self._photographic, self._generator = config.photographic, generator
        self._step = 0
        self._set_of = torch.randint(config.groups, (images,), generator=generator).to(device)
        u = torch.rand(8, steps, config.groups, generator=generator).to(device)
        signed = 2 * u - 1
        side = 1 + config.scale * signed[0]
        sigma = torch.where(u[6] < config.blur, 0.3 + u[7], 0.0)
        self._columns = side, config.shift * signed[1], sigma
        self._rows = side, config.shift * signed[2], sigma
        brightness, contrast, saturation = (1 + config.colour * signed[3:6])[..., None, None]
        # Brightness b, contrast c and saturation s of a pixel x: b (c (s x + (1 - s) grey(x)) + (1 - c) mean grey)
        self._saturation = saturation.to(dtype)
        self._gain = brightness * contrast / SCALE
        self._towards_mean = brightness * (1 - contrast) / SCALE
        self._luma = torch.tensor([LUMA], device=device).to(dtype)

    def __call__(self, images: Tensor, index: Tensor, mirrored: Tensor) -> Tensor:
        """Augment the next step's images.

        ``images`` (M, 3, S, S) are bytes, ``index`` (M,) their numbers in the training set, ``mirrored`` (M,) whether
        they are mirrored. The result (M, 3, S, S) is normalised for the encoder, channels last.
        """
        step, drawn = self._step, self._set_of[index]
        self._step += 1
        m, size = len(images), images.shape[-1]
        rows, columns = (
            resampling(side[step], shift[step], sigma[step], size) for side, shift, sigma in (self._rows, self._columns)
        )
        rows = (self._gain[step] * rows).to(self._dtype).index_select(0, drawn)
        columns = torch.cat((columns, columns.flip(2))).to(self._dtype)
        columns = columns.index_select(0, drawn + len(columns) // 2 * mirrored)
        pixels = images.to(self._dtype).view(m, 3, -1)
        grey = self._luma @ pixels
        pixels = torch.lerp(grey, pixels, self._saturation[step][drawn])
        mean_grey = grey.mean(2, keepdim=True, dtype=torch.float32)
        offset = (self._towards_mean[step][drawn] * mean_grey - MEAN / SCALE).to(self._dtype)
        pixels = columns @ pixels.view(m, -1, size).mT  # x, then channel and y
        pixels = torch.baddbmm(offset, rows, pixels.view(m, -1, size).mT)  # y, then x and channel: channels last
        pixels = pixels.clamp_(-MEAN / SCALE, (255 - MEAN) / SCALE)
        result = pixels.view(m, size, size, 3).permute(0, 3, 1, 2)
        if self._photographic:
            changed = photographic((result * SCALE + MEAN) / 255, self._photographic, self._generator)
            result = ((changed * 255 - MEAN) / SCALE).to(self._dtype, memory_format=torch.channels_last)
        return result


def resampling(side: Tensor, shift: Tensor, sigma: Tensor, size: int) -> Tensor:
    """Matrices (G, size, size) that cut, scale and blur one axis; rows sum to 1.

    Bilinear, with a filter as wide as the target's pixels where they are larger than the source's; the border
    is repeated beyond the image.

    Args:
        side: (G,) length of the piece that is cut, as a share of the axis.
        shift: (G,) of its centre, as a share of the axis.
        sigma: (G,) of a three-tap Gaussian blur in pixels, 0 for none.
        size: of the axis in pixels.
    """
    pixel = torch.arange(size, device=side.device, dtype=torch.float32)
    start = (0.5 + shift - side / 2) * size
    source = (start[:, None] + side[:, None] * (pixel + 0.5) - 0.5).clamp(0, size - 1)
    width = side.clamp_min(1)[:, None, None]
    weights = (1 - (source[:, :, None] - pixel).abs() / width).clamp_min(0)
    tap = torch.exp(-0.5 / sigma.square())[:, None, None]  # 0 for sigma = 0
    above = torch.cat((weights[:, :1], weights[:, :-1]), 1)
    below = torch.cat((weights[:, 1:], weights[:, -1:]), 1)
    weights = weights + tap * (above + below)
    return weights / weights.sum(2, keepdim=True)
