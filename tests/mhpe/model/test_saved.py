"""Networks in files."""

import json
import re
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch

from mhpe.config import CoreConfig
from mhpe.errors import InputError
from mhpe.model.heads import HEADS, build
from mhpe.model.saved import FORMAT, load_network, save_network
from mhpe.paths import FOR_PHOTOGRAPHS, PRETRAINED
from mhpe.synthheads.sets import SynthConfig
from mhpe.train.metrics import errors, summary

SMALL = {"image_size": 32, "encoder": {"m": 16, "widths": (16, 32)}}


def images(count: int) -> torch.Tensor:
    return torch.randint(256, (count, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("head", HEADS)
def test_a_network_comes_back_as_it_was(head: str, tmp_path: Path) -> None:
    network = build(CoreConfig(head=head, **SMALL), 3)
    save_network(network, tmp_path / "a.safetensors", {"trained": "not at all"})
    found = load_network(tmp_path / "a.safetensors")
    assert found.network.config == network.config
    assert found.notes == {"trained": "not at all"}
    assert torch.equal(found.network.predict(images(4)).rotations, network.predict(images(4)).rotations)


def test_backbone_needs_no_first_weights_any_more(tmp_path: Path) -> None:
    import torchvision

    first = tmp_path / "first.pt"
    torch.save(torchvision.models.mobilenet_v3_small().state_dict(), first)
    encoder = {"m": 8, "backbone": "mobilenet_v3_small", "backbone_weights": str(first)}
    save_network(build(CoreConfig(encoder=encoder), 0), tmp_path / "a.safetensors", {})
    first.unlink()
    assert load_network(tmp_path / "a.safetensors").network.config.encoder.backbone == "mobilenet_v3_small"


def metadata(**changes: str) -> dict[str, str]:
    core = CoreConfig(**SMALL).model_dump_json()
    return {"format": FORMAT, "core": core, "notes": "{}"} | changes


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "not a network of this program"),
        (metadata(format="mhpe-bench network 0"), "not a network of this program"),
        (metadata(core='{"image_sise": 64}'), "unknown key 'image_sise'; did you mean 'image_size'?"),
        (metadata(core="{"), "its core (metadata) cannot be read"),
        (metadata(core="[1]"), "its core (metadata) cannot be read"),
        (metadata(notes="3"), "its notes (metadata) cannot be read"),
        ({"format": FORMAT}, "its core (metadata) cannot be read"),
        (metadata(core="{}"), "its weights don't fit its configuration"),
        (
            metadata(core='{"encoder": {"m": 65536, "widths": [4096, 4096, 4096]}}'),
            "its weights don't fit its configuration",
        ),
        (metadata(core='{"encoder": {"m": 1000000000000}}'), "m: "),
        (metadata(core='{"image_size": 1e300}'), "image_size: "),
    ],
)
def test_foreign_files_are_refused(metadata: dict[str, str], message: str, tmp_path: Path) -> None:
    state = build(CoreConfig(**SMALL), 0).state_dict()
    path = tmp_path / "a.safetensors"
    safetensors.torch.save_file({name: value.contiguous() for name, value in state.items()}, path, metadata)
    with pytest.raises(InputError, match=re.escape(message)) as error:
        load_network(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    network = build(CoreConfig(**SMALL), 0)
    with torch.no_grad():
        next(network.parameters()).fill_(torch.nan)
    save_network(network, tmp_path / "a.safetensors", {})
    with pytest.raises(InputError, match="some of its weights are not finite numbers"):
        load_network(tmp_path / "a.safetensors")


def test_damaged_missing_and_unwritable_files(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(InputError, match="no such weights file"):
        load_network(path)
    save_network(build(CoreConfig(**SMALL), 0), path, {})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="not a safetensors file"):
        load_network(path)
    with pytest.raises(InputError, match=r"^cannot write .*: No such file or directory$"):
        save_network(build(CoreConfig(**SMALL), 0), tmp_path / "nowhere" / "a.safetensors", {})


@pytest.mark.parametrize("path", [PRETRAINED, FOR_PHOTOGRAPHS])
def test_shipped_network_is_small_and_says_where_it_comes_from(path: Path) -> None:
    assert path.stat().st_size < 2_000_000
    with safetensors.safe_open(path, "pt") as file:
        notes = json.loads(file.metadata()["notes"])
    origin = (path.parent / "ORIGIN.md").read_text(encoding="utf-8")
    assert notes["trial"] in origin
    for name, metrics in notes["errors"].items():
        row = f"| `{name}` | {metrics['mae']:.2f} | {metrics['geodesic_mean']:.2f} | {metrics['geodesic_median']:.2f} |"
        assert row in origin


@pytest.mark.slow
@pytest.mark.parametrize("path", [PRETRAINED, FOR_PHOTOGRAPHS])
def test_shipped_network_knows_rendered_heads(path: Path) -> None:
    """On pictures that it was not trained on; drawn ones would be another domain."""
    from mhpe.datasets import prepared

    network = load_network(path).network
    data = prepared("synth_lab", network.config.image_size, synth=SynthConfig(train=1, lab=24, wild=1, seed=987))
    prediction = network.predict(torch.from_numpy(data.images))
    found = summary(errors(prediction.rotations, torch.from_numpy(data.rotations), torch.from_numpy(data.angles)))
    assert found["geodesic_mean"] < 12
