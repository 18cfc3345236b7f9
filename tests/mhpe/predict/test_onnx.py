"""The ONNX graph in another runtime, against PyTorch."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image

from mhpe.errors import InputError
from mhpe.model.saved import load_network
from mhpe.paths import PRETRAINED
from mhpe.predict.onnx import OUTPUTS, export_onnx
from mhpe.rotations import geodesic_degrees, to_euler
from tests.fake_data import draw_head, random_angles, rotation_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "head.onnx"
    export_onnx(load_network(PRETRAINED).network, path)
    return path


def heads_and_noise(size: int) -> torch.Tensor:
    """Drawn heads, and noise, which gives raw matrices far from any rotation."""
    drawn = [draw_head(rotation, size) for rotation in rotation_of(random_angles(60))]
    blank = [Image.new("RGB", (size, size), colour) for colour in ("black", "white", "red")]
    pictures = np.stack([np.asarray(image) for image in (*drawn, *blank)]).transpose(0, 3, 1, 2)
    noise = np.random.default_rng(0).integers(0, 256, (60, 3, size, size), dtype=np.uint8)
    return torch.from_numpy(np.concatenate((pictures, noise)))


def test_rotations_are_pytorchs(graph: Path) -> None:
    network = load_network(PRETRAINED).network
    images = heads_and_noise(network.config.image_size)
    session = onnxruntime.InferenceSession(graph)
    found = dict(zip(OUTPUTS, session.run(None, {"images": images.numpy()}), strict=True))
    expected = network.predict(images)
    rotations = torch.from_numpy(found["rotations"])
    assert geodesic_degrees(rotations.double(), expected.rotations.double()).max() < 1e-3
    np.testing.assert_allclose(found["angles"], to_euler(rotations), atol=1e-3)
    np.testing.assert_allclose(found["strengths"], expected.strengths, rtol=1e-4)
    one = session.run(["rotations"], {"images": images[:1].numpy()})[0]
    np.testing.assert_allclose(one[0], found["rotations"][0], atol=1e-5)


def test_graph_tells_nothing_of_the_machine(graph: Path) -> None:
    assert str(Path(__file__).parents[3]).encode() not in graph.read_bytes()


def test_unwritable_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Program:
        def save(self, path: Path) -> None:
            path.write_bytes(b"")

    network = load_network(PRETRAINED).network
    program = Program()
    program.model = type("Model", (), {"graph": type("Graph", (), {"all_nodes": lambda _: []})()})
    monkeypatch.setattr(torch.onnx, "export", lambda *_, **__: program)
    with pytest.raises(InputError, match="cannot write"):
        export_onnx(network, tmp_path / "nowhere" / "head.onnx")
