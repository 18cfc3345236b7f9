"""The plain regressors that MHPE is compared with."""

import pytest
import torch

from mhpe.config import CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.model.baselines import Baseline
from mhpe.model.heads import HEADS, build
from mhpe.model.network import Network
from mhpe.poses import Poses
from mhpe.rotations import from_euler, geodesic_degrees
from mhpe.train.loop import poses_of, train
from mhpe.train.metrics import errors, summary
from samplers.random import Random
from tests.conftest import make_poses

TINY = CoreConfig(
    image_size=32, k=4, batch_size=16, epochs=8, precision="float32", encoder={"m": 32, "widths": (32, 64), "patch": 4}
)
BASELINES = ("six_d", "euler", "bins", "matrix_fisher", "rotation_laplace")


def network(head: str, **changes: object) -> Network:
    return build(TINY.model_copy(update={"head": head, **changes}), 0)


def poses_at(*angles: tuple[float, float, float]) -> Poses:
    values = torch.tensor(angles)
    index = torch.arange(len(values))
    return Poses(from_euler(values), values, index, index)


@pytest.mark.slow
@pytest.mark.parametrize("head", BASELINES)
def test_training_learns(head: str, heads: HeadPoseSet) -> None:
    model = train(TINY.model_copy(update={"head": head}), heads, Random(), 0, torch.device("cpu"))
    prediction = model.predict(torch.from_numpy(heads.images))
    poses = poses_of(heads)
    found = summary(errors(prediction.rotations, poses.rotations, poses.angles))
    constant = summary(errors(poses.rotations.mean(0).expand(len(heads), 3, 3), poses.rotations, poses.angles))
    assert found["geodesic_mean"] < 0.6 * constant["geodesic_mean"]
    torch.testing.assert_close(torch.linalg.det(prediction.rotations), torch.ones(len(heads)))
    assert prediction.strengths.isnan().all() != model.has_concentration


def test_all_heads_start_with_the_same_encoder() -> None:
    first, *others = (network(head).encoder.state_dict() for head in HEADS)
    for other in others:
        for name, value in first.items():
            assert torch.equal(value, other[name]), name


@pytest.mark.parametrize("head", BASELINES)
def test_references_count_as_inputs_do(head: str) -> None:
    """Mean over the inputs plus mean over the references, those that serve several inputs as often as they do."""
    poses = make_poses(10)
    inputs, references = torch.tensor([0, 1]), torch.tensor([[2, 2, 3], [0, 4, 2]])
    model = network(head)
    output = torch.randn(10, model.numbers, generator=torch.Generator().manual_seed(0))
    single = model.image_loss(output, poses)
    step = model.loss(output, poses, inputs, references, torch.Generator())
    expected = (single[0] + single[1]) / 2 + (3 * single[2] + single[3] + single[0] + single[4]) / 6
    torch.testing.assert_close(step.total, expected)
    alone = network(head, reference_weight=0.0).loss(output, poses, inputs, references, torch.Generator())
    torch.testing.assert_close(alone.total, (single[0] + single[1]) / 2)


@pytest.mark.slow
@pytest.mark.parametrize("head", BASELINES)
def test_loss_is_least_at_the_label(head: str) -> None:
    """Gradient descent on the layer's numbers alone finds the label."""
    model = network(head)
    assert isinstance(model, Baseline)
    poses = make_poses(40)
    output = torch.zeros(40, model.numbers) + (0 if head in ("euler", "bins") else model.linear.bias.detach())
    output.requires_grad_()
    optimizer = torch.optim.Adam([output], 0.1)
    for step in range(800):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 800)
        optimizer.zero_grad()
        model.image_loss(output, poses).sum().backward()
        assert output.grad is not None
        assert output.grad.isfinite().all()
        optimizer.step()
    found = model.rotation(output.detach())
    assert geodesic_degrees(found, poses.rotations).max() < (
        3 if head == "matrix_fisher" else 1
    )  # its concentration grows for long; a bin is 3 degrees wide


def test_geodesic_loss_has_a_gradient_at_a_half_turn_and_at_the_label() -> None:
    model = network("six_d")
    poses = poses_at((0, 0, 0), (0, 0, 0))
    output = torch.tensor([[-1.0, 0, 0, -1, 0, 0], [1, 0, 0, 1, 0, 0]], requires_grad=True)
    loss = model.image_loss(output, poses)
    torch.testing.assert_close(loss, torch.tensor([torch.pi, 0.0]), atol=5e-3, rtol=0)
    loss.sum().backward()
    assert output.grad is not None
    assert output.grad.isfinite().all()


def test_euler_regressor_learns_the_labels_own_angles() -> None:
    """300W-LP has yaws beyond 90 degrees, which no rotation gives back."""
    model = network("euler")
    poses = poses_at((95, 10, -20))
    at_label = torch.deg2rad(poses.angles)
    torch.testing.assert_close(model.image_loss(at_label, poses), torch.zeros(1))
    torch.testing.assert_close(model.rotation(at_label), poses.rotations)


def test_bins_are_3_degrees_wide_and_their_expectation_is_the_angle() -> None:
    model = network("bins")
    output = torch.full((1, 3, 66), -50.0)
    output[0, 0, 0], output[0, 1, 33], output[0, 2, 65] = 50, 50, 50  # [-99, -96), [0, 3), [96, 99)
    expected = from_euler(torch.tensor([[-97.5, 1.5, 97.5]]))
    torch.testing.assert_close(model.rotation(output.flatten(1)), expected)
    centre, edge = poses_at((-97.5, 1.5, 97.5)), poses_at((-97.5, 1.5, 99))
    torch.testing.assert_close(model.image_loss(output.flatten(1), centre), torch.zeros(1))
    torch.testing.assert_close(model.image_loss(output.flatten(1), edge), torch.tensor([0.25]))  # half a bin, squared
