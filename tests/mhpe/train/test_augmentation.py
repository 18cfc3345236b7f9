"""Augmentation and the flip's label."""

from dataclasses import dataclass

import numpy as np
import pytest
import roma
import torch
import torchvision.transforms.v2.functional as tv

from mhpe.config import AugmentationConfig
from mhpe.model.encoder import normalise
from mhpe.rotations import mirror
from mhpe.train.augmentation import Augmentation, resampling
from tests.fake_data import draw_head, random_angles, rotation_of

NOTHING = AugmentationConfig(flip=0, scale=0, shift=0, colour=0, blur=0)


def heads(count: int, size: int = 32) -> torch.Tensor:
    rotations = rotation_of(random_angles(count))
    return torch.stack([torch.as_tensor(np.array(draw_head(r, size))).permute(2, 0, 1) for r in rotations])


@dataclass
class Augmented:
    """Images of 0 to 255 after one step, and the augmentation that did it."""

    images: torch.Tensor
    augmentation: Augmentation


def augment(
    config: AugmentationConfig,
    images: torch.Tensor,
    which: torch.Tensor | None = None,
    mirrored: torch.Tensor | None = None,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> Augmented:
    generator = torch.Generator().manual_seed(seed)
    augmentation = Augmentation(config, len(images), 3, generator, torch.device("cpu"), dtype)
    which = torch.arange(len(images)) if which is None else which
    mirrored = torch.zeros(len(which), dtype=torch.bool) if mirrored is None else mirrored
    result = augmentation(images[which], which, mirrored)
    assert result.is_contiguous(memory_format=torch.channels_last)
    return Augmented(result.float() * 64 + 127.5, augmentation)


def test_no_change_when_nothing_is_asked() -> None:
    images = heads(10)
    torch.testing.assert_close(augment(NOTHING, images).images, images.float(), atol=1e-3, rtol=0)
    generator = torch.Generator().manual_seed(0)
    plain = Augmentation(NOTHING, 10, 1, generator, torch.device("cpu"), torch.float32)
    result = plain(images, torch.arange(10), torch.zeros(10, dtype=torch.bool))
    torch.testing.assert_close(result, normalise(images))  # what inference sees


def test_every_image_changes_a_little() -> None:
    images = heads(40)
    difference = (augment(AugmentationConfig(), images).images - images).abs().mean((1, 2, 3))
    assert (difference > 0.5).all()
    assert (difference < 60).all()


def test_an_image_looks_the_same_whatever_else_is_in_the_step() -> None:
    """Arms with the same seed see the same inputs, though their references differ."""
    images = heads(20)
    few = torch.tensor([3, 7])
    a = augment(AugmentationConfig(), images, few, seed=4).images
    b = augment(AugmentationConfig(), images, seed=4).images
    torch.testing.assert_close(a, b[few], atol=1e-3, rtol=0)


def test_bfloat16_is_the_same_picture() -> None:
    images = heads(20)
    exact = augment(AugmentationConfig(), images).images
    assert (augment(AugmentationConfig(), images, dtype=torch.bfloat16).images - exact).abs().mean() < 1


def test_photographic_changes_are_those_of_the_seed_and_stay_pictures() -> None:
    images, config = heads(6), AugmentationConfig(photographic=0.7)
    first, again, other = (augment(config, images, seed=seed).images for seed in (0, 0, 1))
    torch.testing.assert_close(first, again)
    assert (first - other).abs().mean((1, 2, 3)).min() > 1
    assert -0.5 < first.min() < first.max() < 255.5


@pytest.mark.parametrize("axis", ["right", "down"])
def test_shift_moves_the_picture(axis: str) -> None:
    image = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    image[:, :, 14:18, 14:18] = 255
    done = augment(NOTHING.model_copy(update={"shift": 0.25}), image)
    moved = done.images[0, 0]
    sums = moved.sum(0 if axis == "right" else 1)
    shifts = (done.augmentation._columns if axis == "right" else done.augmentation._rows)[1]
    centre = (sums * (torch.arange(32.0) + 0.5)).sum() / sums.sum()
    assert centre - 16 == pytest.approx(-32 * float(shifts[0, done.augmentation._set_of[0]]), abs=0.1)


@pytest.mark.parametrize("side", [0.7, 1.0, 1.2])
def test_scaling_is_torchvisions(side: float) -> None:
    """Independent reference, away from the border."""
    image = heads(1, 40)[0].float()
    matrix = resampling(torch.tensor([side]), torch.tensor([0.0]), torch.tensor([0.0]), 40)[0]
    ours = matrix @ image @ matrix.T
    margin, pixels = 8, round(40 * side)
    wide = tv.pad(image, [margin], padding_mode="edge")
    top = margin + (40 - pixels) // 2
    theirs = tv.resized_crop(wide, top, top, pixels, pixels, [40, 40], antialias=True)
    assert (ours - theirs)[:, 4:-4, 4:-4].abs().mean() < 1.5
    torch.testing.assert_close(matrix.sum(1), torch.ones(40))


def test_blur_is_torchvisions() -> None:
    image = heads(1, 40)[0].float()
    one, zero = torch.tensor([1.0]), torch.tensor([0.0])
    matrix = resampling(one, zero, torch.tensor([0.8]), 40)[0]
    theirs = tv.gaussian_blur(image, [3, 3], [0.8])
    torch.testing.assert_close((matrix @ image @ matrix.T)[:, 1:-1, 1:-1], theirs[:, 1:-1, 1:-1], atol=1e-2, rtol=0)


def test_colours_are_torchvisions() -> None:
    images = heads(6) // 2 + 60  # so that nothing is clipped on the way
    done = augment(NOTHING.model_copy(update={"colour": 0.2, "groups": 1}), images)
    u = 2 * torch.rand(8, 3, 1, generator=_after_sets(6)) - 1
    brightness, contrast, saturation = (float(1 + 0.2 * u[i, 0, 0]) for i in (3, 4, 5))
    expected = images.float() / 255
    for adjust, factor in (
        (tv.adjust_brightness, brightness),
        (tv.adjust_contrast, contrast),
        (tv.adjust_saturation, saturation),
    ):
        expected = adjust(expected, factor)
    assert (done.images - 255 * expected).abs().max() < 1


def _after_sets(images: int) -> torch.Generator:
    generator = torch.Generator().manual_seed(0)
    torch.randint(1, (images,), generator=generator)
    return generator


def test_mirrored_image_shows_the_mirrored_rotation() -> None:
    """Landmarks of the flipped image fit the mirrored label, and only that."""
    head = torch.randn(34, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    head = torch.cat((head, head * torch.tensor([-1, 1, 1])))  # left-right symmetric, as heads are
    swapped = torch.cat((head[34:], head[:34]))
    for rotation in torch.as_tensor(rotation_of(random_angles(20))):
        seen = head @ rotation.mT
        flipped_seen = seen * torch.tensor([-1, 1, 1])  # x of the image is mirrored
        torch.testing.assert_close(roma.rigid_vectors_registration(swapped, flipped_seen), mirror(rotation))


def test_mirrored_drawing_is_the_drawing_of_the_mirrored_rotation() -> None:
    rotations = rotation_of(random_angles(6))
    images = heads(6, 96)
    flipped = augment(NOTHING, images, mirrored=torch.tensor([True, False] * 3)).images
    for i, rotation in enumerate(rotations):
        expected = mirror(torch.as_tensor(rotation)).numpy() if i % 2 == 0 else rotation
        redrawn = torch.as_tensor(np.array(draw_head(expected, 96))).permute(2, 0, 1)
        assert (flipped[i] - redrawn.float()).abs().mean() < 4
        if i % 2 == 0:
            assert (images[i].float() - redrawn.float()).abs().mean() > 4
