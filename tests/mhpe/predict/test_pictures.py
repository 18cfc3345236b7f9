"""Pictures with axes."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mhpe.datasets import prepared
from mhpe.predict.pictures import TILE, contact_sheet, draw_axes
from mhpe.rotations import from_euler
from tests.fake_data import write_aflw2000


def centre_of(image: Image.Image, channel: int) -> np.ndarray:
    """Mean place, from the image's centre, of the pixels where one colour channel stands out."""
    pixels = np.asarray(image).astype(int)
    others = np.delete(pixels, channel, 2).max(2)
    rows, columns = np.nonzero(pixels[..., channel] - others > 60)
    return np.array([columns.mean(), rows.mean()]) - np.array(image.size) / 2


def drawn(yaw: float, pitch: float, roll: float) -> Image.Image:
    image = Image.new("RGB", (100, 100))
    draw_axes(image, from_euler(torch.tensor([yaw, pitch, roll])).numpy())
    return image


def test_axes_point_where_the_head_does() -> None:
    straight = drawn(0, 0, 0)
    assert centre_of(straight, 0)[0] > 10  # left of the subject, red, to the image's right
    assert centre_of(straight, 1)[1] > 10  # down, green
    assert centre_of(drawn(50, 0, 0), 2)[0] < -10  # front, blue: yaw > 0 to the image's left
    assert centre_of(drawn(0, 40, 0), 2)[1] < -8  # pitch > 0 up
    assert centre_of(drawn(0, 0, 30), 0)[1] > 5  # roll > 0 clockwise


def test_contact_sheet_has_a_place_for_every_image(tmp_path: Path) -> None:
    write_aflw2000(tmp_path, 10)
    data = prepared("aflw2000", 32, tmp_path)
    sheet = contact_sheet(data, 6)
    assert sheet.width >= 3 * TILE
    assert contact_sheet(data, 100).size > sheet.size
    assert np.array_equal(np.asarray(sheet), np.asarray(contact_sheet(data, 6)))
    assert not np.array_equal(np.asarray(sheet), np.asarray(contact_sheet(data, 6, seed=1)))
