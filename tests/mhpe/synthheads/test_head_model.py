"""The head model: exact rotations, symmetry, orientation."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from mhpe.rotations import from_euler
from mhpe.synthheads.head_model import HeadModel, head_model
from mhpe.synthheads.population import draw_person, draw_shot
from mhpe.synthheads.renderer import Renderer, Scene
from mhpe.synthheads.varied import change_proportions


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return head_model()


def turned_by(points: np.ndarray, reference: np.ndarray) -> Rotation:
    """The rotation from reference to points, by SciPy."""
    return Rotation.align_vectors(points - points.mean(0), reference - reference.mean(0))[0]


@pytest.mark.parametrize("scale", [0.0, 1.0, 2.0])
def test_every_identity_has_the_rotation_of_its_label(model: HeadModel, scale: float) -> None:
    rng = np.random.default_rng(int(scale))
    skull, reference = model.skull.numpy(), model.mean.numpy()
    renderer = Renderer(32)
    scenes = []
    for angles in rng.uniform((-90, -60, -60), (90, 60, 60), (40, 3)):
        person = draw_person(rng, model.identities)
        identity = (scale * rng.normal(0, 1, model.identities)).astype(np.float32)
        person = replace(person, identity=identity, style="bald")
        rotation = from_euler(torch.from_numpy(angles)).numpy()
        neutral = replace(draw_shot(rng), expression={})
        scenes.append(Scene(person, neutral, rotation, np.zeros((32, 32, 3))))
    cover = torch.zeros(len(scenes), len(reference))
    vertices = renderer._vertices(scenes, cover)[:, : len(reference)].numpy()
    for scene, head in zip(scenes, vertices, strict=True):
        found = turned_by(head[skull], reference[skull])
        assert np.degrees((found * Rotation.from_matrix(scene.rotation).inv()).magnitude()) < 0.1


def test_varied_heads_are_stretched_along_their_frame(model: HeadModel) -> None:
    """Which does not turn it."""
    person = replace(draw_person(np.random.default_rng(0), model.identities), stretch=1.1)
    changed = change_proportions(model, model.mean[None], [person])
    torch.testing.assert_close(changed[0], model.mean * changed.new_tensor([1, 1.1, 1]))
    raised = change_proportions(model, model.mean[None], [replace(person, nose=0.05)]) - changed
    assert raised[..., 1].amin() == pytest.approx(-0.05, abs=0.005)
    assert raised[0, model.mean[:, 2] < 0.2].abs().max() == 0  # the nose alone


def test_without_alignment_identities_would_be_tilted(model: HeadModel) -> None:
    """The test above can fail: raw components turn the skull by degrees."""
    identity = torch.randn(20, model.identities, generator=torch.Generator().manual_seed(0))
    raw = model.mean + (identity @ model._identity).unflatten(1, (-1, 3))
    skull = model.skull.numpy()
    turns = [turned_by(one[skull].numpy(), model.mean.numpy()[skull]).magnitude() for one in raw]
    assert np.degrees(max(turns)) > 0.3


def test_mean_head_is_symmetric_so_yaw_and_roll_are_zero(model: HeadModel) -> None:
    rng = np.random.default_rng(0)
    on_skull = model.triangles[model.skull[model.triangles].all(1)]
    corners = model.mean[on_skull].numpy()
    points = np.concatenate(
        [np.einsum("tc,tcx->tx", rng.dirichlet((1, 1, 1), len(corners)), corners) for _ in range(40)]
    )
    mirrored = points * (-1, 1, 1)
    distance, nearest = cKDTree(points).query(mirrored)
    assert np.median(distance) < 0.02  # two millimetres
    assert np.degrees(turned_by(points[nearest], mirrored).magnitude()) < 0.1


def test_pitch_zero_is_that_of_the_photographs(model: HeadModel) -> None:
    eyes = torch.stack([model.mean[numbers].mean(0) for numbers, _ in model.eyes]).mean(0)
    lips = model.mean[model.regions["lips"] > 0.5].mean(0)
    assert lips[1] > eyes[1]  # down
    lean = math.degrees(math.atan2(lips[2] - eyes[2], lips[1] - eyes[1]))
    assert 10 < lean < 27  # the lips' surface lies in front of the eyeballs' centres


def test_left_is_left_and_the_nose_points_forward(model: HeadModel) -> None:
    left_eye, right_eye = (model.mean[numbers].mean(0) for numbers, _ in model.eyes)
    assert left_eye[0] > 0 > right_eye[0]  # the subject's left is x > 0
    nose = model.mean[model.regions["face"] > 0.5][:, 2].argmax()
    assert model.mean[model.regions["face"] > 0.5][nose, 0].abs() < 0.05


def test_expressions_leave_the_skull_alone(model: HeadModel) -> None:
    full = torch.eye(len(model.expression_names))
    moved = model.shapes(torch.zeros(len(full), model.identities), full) - model.mean
    assert moved[:, model.regions["scalp"] > 0.5].norm(dim=2).max() < 0.02  # two millimetres
    assert moved.norm(dim=2).amax(1).min() > 0.01  # each one does something
