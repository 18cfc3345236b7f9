"""Augmentation and the flip's label."""

import numpy as np
import roma
import torch

from mhpe.augmentation import Augmentation
from mhpe.config import AugmentationConfig
from mhpe.rotations import mirror
from mhpe.training import mirror_images
from tests.made_up import draw_head, random_angles, rotation_of

NOTHING = AugmentationConfig(flip=0, scale=0, shift=0, colour=0, blur=0)


def heads(count: int, size: int = 32) -> torch.Tensor:
    rotations = rotation_of(random_angles(count))
    return torch.stack([torch.as_tensor(np.array(draw_head(r, size))).permute(2, 0, 1) for r in rotations])


def test_no_change_when_nothing_is_asked() -> None:
    images = heads(10)
    result = Augmentation(NOTHING, 10, torch.Generator().manual_seed(0))(images, torch.arange(10))
    torch.testing.assert_close(result, images)


def test_every_image_changes_a_little() -> None:
    images = heads(40)
    result = Augmentation(AugmentationConfig(), 40, torch.Generator().manual_seed(0))(images, torch.arange(40))
    assert result.dtype == torch.uint8
    difference = (result.float() - images.float()).abs().mean((1, 2, 3))
    assert (difference > 0.5).all()
    assert (difference < 60).all()


def test_an_image_looks_the_same_whatever_else_is_in_the_step() -> None:
    """Arms with the same seed see the same inputs, though their references differ."""
    images = heads(20)
    few, many = torch.tensor([3, 7]), torch.arange(20)
    a = Augmentation(AugmentationConfig(), 20, torch.Generator().manual_seed(4))(images[few], few)
    b = Augmentation(AugmentationConfig(), 20, torch.Generator().manual_seed(4))(images, many)
    torch.testing.assert_close(a, b[few])


def test_shift_moves_the_picture() -> None:
    image = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    image[:, :, 14:18, 14:18] = 255
    augmentation = Augmentation(NOTHING.model_copy(update={"shift": 0.25}), 1, torch.Generator().manual_seed(0))
    parameters = augmentation.draw()
    augmentation = Augmentation(NOTHING.model_copy(update={"shift": 0.25}), 1, torch.Generator().manual_seed(0))
    moved = augmentation(image, torch.tensor([0]))[0, 0].float()
    group = int(augmentation._group_of[0])
    rows, columns = moved.sum(1), moved.sum(0)
    centre = torch.arange(32.0) + 0.5
    assert abs((rows * centre).sum() / rows.sum() - 16 + 32 * parameters.down[group]) < 1
    assert abs((columns * centre).sum() / columns.sum() - 16 + 32 * parameters.right[group]) < 1


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
    flipped = mirror_images(images, torch.tensor([True, False] * 3))
    for i, rotation in enumerate(rotations):
        expected = mirror(torch.as_tensor(rotation)).numpy() if i % 2 == 0 else rotation
        redrawn = torch.as_tensor(np.array(draw_head(expected, 96))).permute(2, 0, 1)
        assert (flipped[i].float() - redrawn.float()).abs().mean() < 4
        if i % 2 == 0:
            assert (images[i].float() - redrawn.float()).abs().mean() > 4
