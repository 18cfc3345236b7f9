"""Rasterizer and renderer: against brute force, and what a rotation does to the picture."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mhpe.data.crops import LANDMARK_SCALE, LANDMARK_UP
from mhpe.rotations import from_euler
from mhpe.synthheads import scene
from mhpe.synthheads.population import Person, Shot, draw_person, draw_shot
from mhpe.synthheads.rasterizer import rasterize
from mhpe.synthheads.renderer import Renderer, Scene


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(48)


def plain_person(renderer: Renderer) -> Person:
    person = draw_person(np.random.default_rng(3), renderer.model.identities)
    identity = np.zeros_like(person.identity)
    return replace(person, identity=identity, style="buzz", glasses=False, beard=0.0, fringe=-1.0)


def plain_shot() -> Shot:
    shot = draw_shot(np.random.default_rng(5))
    return replace(
        shot, expression={}, gaze=(0.0, 0.0), crop_scale=1.0, crop_shift=(0.0, 0.0), occluder=False, blur=0.0,
        noise=0.0, grey=False, light_azimuth=0.0, body_share=0.0,
    )  # fmt: skip


def make_scene(renderer: Renderer, yaw: float = 0, pitch: float = 0, roll: float = 0) -> Scene:
    rotation = from_euler(torch.tensor([yaw, pitch, roll], dtype=torch.float64)).numpy()
    return Scene(plain_person(renderer), plain_shot(), rotation, np.full((48, 48, 3), 0.2))


def brute_force(
    screen: np.ndarray, colours: np.ndarray, triangles: np.ndarray, two_sided: int, size: int
) -> np.ndarray:
    image = np.zeros((size, size, colours.shape[1] + 1))
    depth = np.full((size, size), -np.inf)
    for number, (a, b, c) in enumerate(triangles):
        (xa, ya, za), (xb, yb, zb), (xc, yc, zc) = screen[[a, b, c]]
        area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        if area == 0 or (area < 0 and number < two_sided):
            continue
        for row in range(size):
            for column in range(size):
                x, y = column + 0.5, row + 0.5
                w_b = ((x - xa) * (yc - ya) - (xc - xa) * (y - ya)) / area
                w_c = ((xb - xa) * (y - ya) - (x - xa) * (yb - ya)) / area
                w_a = 1 - w_b - w_c
                z = w_a * za + w_b * zb + w_c * zc
                if min(w_a, w_b, w_c) >= 0 and z > depth[row, column]:
                    depth[row, column] = z
                    image[row, column] = [*(w_a * colours[a] + w_b * colours[b] + w_c * colours[c]), 1]
    return image


def test_rasterizer_draws_what_brute_force_draws() -> None:
    rng = np.random.default_rng(0)
    screen = rng.uniform(-6, 22, (2, 30, 3))
    colours, triangles = rng.uniform(0, 1, (2, 30, 3)), rng.integers(0, 30, (25, 3))
    drawn = rasterize(torch.tensor(screen), torch.tensor(colours), torch.tensor(triangles), 15, 16).numpy()
    for i in range(2):
        np.testing.assert_allclose(drawn[i], brute_force(screen[i], colours[i], triangles, 15, 16), atol=1e-9)


@pytest.mark.parametrize(
    ("angles", "axis", "sign"),
    [((30, 0, 0), 0, -1), ((-30, 0, 0), 0, 1), ((0, 25, 0), 1, -1), ((0, -25, 0), 1, 1)],
)
def test_nose_moves_as_the_conventions_say(renderer: Renderer, angles: tuple[float, ...], axis: int, sign: int) -> None:
    """Yaw > 0 turns it to the image's left, pitch > 0 up."""
    nose = int(renderer.model.mean[:, 2].argmax())
    placed = []
    for one in (make_scene(renderer), make_scene(renderer, *angles)):
        cover = torch.zeros(1, len(renderer.model.mean))
        vertices = renderer._vertices([one], cover)[:, : len(renderer.model.mean)]
        middle = vertices[0, renderer.model.skull].mean(0)
        placed.append((vertices[0, nose] - middle)[axis])
    assert sign * (placed[1] - placed[0]) > 0.2


def test_roll_turns_the_eyes_clockwise(renderer: Renderer) -> None:
    cover = torch.zeros(1, len(renderer.model.mean))
    vertices = renderer._vertices([make_scene(renderer, roll=30)], cover)[0]
    left, right = (vertices[numbers].mean(0) for numbers, _ in renderer.model.eyes)  # left eye at the image's right
    assert torch.rad2deg(torch.atan2(left[1] - right[1], left[0] - right[0])).item() == pytest.approx(30, abs=0.1)


@pytest.mark.parametrize("yaw", [0, 50, -80])
def test_crop_is_the_protocols_one(renderer: Renderer, yaw: float) -> None:
    one = make_scene(renderer, yaw)
    cover = torch.zeros(1, len(renderer.model.mean))
    left, top, right, bottom = renderer.project(renderer._vertices([one], cover), [one.shot])[1][0].tolist()
    assert max(right - left, bottom - top) * LANDMARK_SCALE == pytest.approx(48, rel=1e-4)
    assert (left + right) / 2 == pytest.approx(24, abs=1e-2)
    assert (top + bottom) / 2 == pytest.approx(24 + 48 * LANDMARK_UP, abs=1e-2)


def test_mirrored_rotation_gives_the_mirrored_picture(renderer: Renderer) -> None:
    # the mean head is symmetric, and so are light and background here
    shot = replace(plain_shot(), ambient_gradient=np.zeros((9, 3)))
    flat = replace(make_scene(renderer, 35, 10, 15).person, pattern=np.zeros((6, 4)))
    pictures = [
        renderer.render([replace(make_scene(renderer, *angles), shot=shot, person=flat)])[0].astype(float)
        for angles in ((35, 10, 15), (-35, 10, -15))
    ]
    difference = np.abs(pictures[0] - pictures[1][:, ::-1])
    assert difference.mean() < 3
    assert np.abs(pictures[0] - pictures[1]).mean() > 15


def test_occluder_hides_at_most_half_of_the_face(renderer: Renderer) -> None:
    rng = np.random.default_rng(0)
    box = (14.0, 12.0, 34.0, 40.0)
    y, x = np.mgrid[0:48, 0:48]
    hidden = []
    for i in range(300):
        width = rng.uniform(1, 10)  # from a sliver to a whole face
        face = (((x - 24) / width) ** 2 + ((y - 26) / 14) ** 2 < 1).astype(float)
        covered = scene.occlude(np.random.default_rng(i), np.full((48, 48, 3), -1.0), box, face)[..., 0] >= 0
        hidden.append((face * covered).sum() / face.sum())
    assert max(hidden) <= 0.5
    assert np.mean(np.array(hidden) > 0.02) > 0.5  # most of them do hide something
    visible = renderer.render([make_scene(renderer)])
    occluded = make_scene(renderer)
    occluded = replace(occluded, shot=replace(occluded.shot, occluder=True))
    assert (renderer.render([occluded]) != visible).any()


def test_an_image_does_not_depend_on_its_batch(renderer: Renderer) -> None:
    rng = np.random.default_rng(1)
    scenes = [
        Scene(draw_person(rng, renderer.model.identities), draw_shot(rng), np.eye(3), np.full((48, 48, 3), 0.3))
        for _ in range(5)
    ]
    together = renderer.render(scenes).astype(int)
    alone = np.concatenate([renderer.render([one]) for one in scenes]).astype(int)
    assert np.abs(together - alone).max() <= 1  # sums in another order may round differently
