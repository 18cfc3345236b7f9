"""The error to expect of a prediction."""

import numpy as np
import pytest
import torch
from torch import Tensor

from mhpe.config import CoreConfig
from mhpe.model.heads import build
from mhpe.model.network import Network, Prediction
from mhpe.predict.views import AT_REST, SLOPE, answer, expected_error
from mhpe.rotations import from_euler, geodesic_degrees, to_euler
from tests.fake_data import rotation_of

CONFIG = CoreConfig(image_size=32, encoder={"m": 8, "widths": (16,)})


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    """A network whose answer is a yaw of 90 degrees times the right half's share of the brightness, less 45."""
    network = build(CONFIG, 0)

    def predict(images: Tensor) -> Prediction:
        columns = images.double().mean((1, 2))
        right = columns[:, columns.shape[1] // 2 :].sum(1) / columns.sum(1)
        yaw = 90 * right - 45
        angles = torch.stack((yaw, torch.zeros_like(yaw), torch.zeros_like(yaw)), 1)
        return Prediction(from_euler(angles).float(), torch.full((len(images), 3), torch.nan))

    monkeypatch.setattr(network, "predict", predict)
    return network


def test_an_answer_that_follows_the_image_has_no_spread(network: Network) -> None:
    """Its mirror image has the mirrored answer; what lies at its edge weighs more in the wider crop."""
    images = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    images[0] = 100
    images[1, ..., :24], images[1, ..., 24:] = 50, 150
    prediction, (plain, edge) = answer(network, images)
    assert plain < 0.1
    assert 0.1 < edge < 5
    seen = to_euler(network.predict(images).rotations)[:, 0]
    assert to_euler(prediction.rotations)[0, 0].item() == pytest.approx(seen[0].item(), abs=0.1)
    assert to_euler(prediction.rotations)[1, 0] > seen[1]  # the mean of both crops


def test_an_answer_that_ignores_the_image_is_taken_as_frontal(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build(CONFIG, 0)
    turned = torch.from_numpy(rotation_of(np.array([20.0, 0.0, 0.0]))).float()
    monkeypatch.setattr(network, "predict", lambda images: Prediction(turned.expand(len(images), 3, 3), images))
    prediction, spread = answer(network, torch.zeros(1, 3, 32, 32, dtype=torch.uint8))
    assert geodesic_degrees(prediction.rotations, torch.eye(3)).item() == pytest.approx(0, abs=1e-2)
    assert spread.item() == pytest.approx(20, abs=1e-2)
    assert expected_error(spread).item() == pytest.approx(AT_REST + SLOPE * 20, abs=1e-2)
