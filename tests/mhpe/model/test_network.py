"""Encoder, attention, SCME and the whole network."""

import pytest
import torch

from mhpe.config import CoreConfig, EncoderConfig
from mhpe.errors import InputError
from mhpe.model.attention import ATTENTION
from mhpe.model.encoder import Encoder, normalise, triple_vector
from mhpe.model.matrix_fisher import log_normalizer
from mhpe.model.mhpe import MHPE
from mhpe.model.scme import SCME, ConcentrationModule, MatrixFisher, project

SMALL = {"encoder": {"m": 16, "widths": (16, 32)}}


def images(count: int, size: int = 32) -> torch.Tensor:
    return torch.randint(256, (count, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("attention", ATTENTION)
@pytest.mark.parametrize("patch", [0, 4])
@pytest.mark.parametrize("size", [64, 112])
def test_triple_vector_has_unit_columns(attention: str, patch: int, size: int) -> None:
    encoder = Encoder(EncoderConfig(m=8, widths=(16, 32), attention=attention, patch=patch))
    z = triple_vector(encoder(torch.randn(3, 3, size, size)))
    assert z.shape == (3, 8, 3)
    torch.testing.assert_close(z.square().sum(1), torch.ones(3, 3))


def test_default_network_is_light() -> None:
    parameters = sum(p.numel() for p in MHPE(CoreConfig(), 0).parameters())
    assert 200_000 < parameters < 900_000


def test_attention_starts_even() -> None:
    """Before training every channel and position has the same weight."""
    x = torch.randn(2, 16, 8, 8)
    for name in ("mcbam", "cbam"):
        torch.testing.assert_close(ATTENTION[name](16).eval()(x), 0.25 * x)


def test_backbone_takes_the_blocks_place() -> None:
    encoder = Encoder(EncoderConfig(m=8, backbone="mobilenet_v3_small"))
    assert encoder(torch.randn(2, 3, 64, 64)).shape == (2, 8, 3)
    with pytest.raises(InputError, match="did you mean 'resnet18'"):
        Encoder(EncoderConfig(backbone="resnet_18"))


def test_backbone_weights_come_from_a_file_without_code(tmp_path) -> None:
    import torchvision

    network = torchvision.models.mobilenet_v3_small()
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    config = EncoderConfig(backbone="mobilenet_v3_small", backbone_weights=str(tmp_path / "weights.pt"))
    torch.testing.assert_close(Encoder(config).blocks[0][0].weight, network.features[0][0].weight)
    with pytest.raises(InputError, match="no file"):
        Encoder(EncoderConfig(backbone="mobilenet_v3_small", backbone_weights=str(tmp_path / "missing.pt")))
    (tmp_path / "broken.pt").write_bytes(b"nothing")
    with pytest.raises(InputError, match="does not fit"):
        Encoder(EncoderConfig(backbone="mobilenet_v3_small", backbone_weights=str(tmp_path / "broken.pt")))


def test_concentration_is_symmetric_positive_and_ordered() -> None:
    s, axes = ConcentrationModule(8)(torch.randn(20, 8, 3))
    assert (s[:, 0] >= s[:, 1]).all()
    assert (s[:, 1] >= s[:, 2]).all()
    assert (s[:, 2] >= 0).all()
    K = MatrixFisher(axes, s, axes).concentration()
    torch.testing.assert_close(K, K.mT)
    torch.testing.assert_close(torch.linalg.eigvalsh(K).flip(1), s, atol=1e-4, rtol=1e-4)


def test_separated_likelihood_is_the_matrix_fisher_one() -> None:
    """F = M K: c(F) from K alone, and the mode is RE's projected matrix."""
    z = torch.randn(20, 8, 3)
    _, distribution = SCME(8)(z, z)
    F, rotation = distribution.parameter(), project(torch.randn(20, 3, 3))
    expected = log_normalizer(F) - (F * rotation).sum((1, 2))
    torch.testing.assert_close(distribution.negative_log_likelihood(rotation), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(log_normalizer(F), log_normalizer(distribution.concentration()), atol=1e-4, rtol=0)
    torch.testing.assert_close(project(F), distribution.mode, atol=1e-3, rtol=0)


def test_inference_uses_the_input_stream_alone() -> None:
    model = MHPE(CoreConfig(**SMALL), 0).eval()
    x = images(5)
    prediction = model.predict(x)
    output = model(normalise(x))
    torch.testing.assert_close(prediction.rotations, output.distribution.mode)
    torch.testing.assert_close(torch.linalg.det(prediction.rotations), torch.ones(5))
    one_by_one = torch.cat([model.predict(image[None]).rotations for image in x])
    torch.testing.assert_close(prediction.rotations, one_by_one, atol=1e-4, rtol=0)


def test_weights_follow_the_seed_and_leave_the_global_generator_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first, again, other = (MHPE(CoreConfig(**SMALL), seed) for seed in (1, 1, 2))
    torch.testing.assert_close(torch.rand(3), expected)
    weight = "scme.rotation_estimator.linear.weight"
    torch.testing.assert_close(first.state_dict()[weight], again.state_dict()[weight])
    assert not torch.equal(first.state_dict()[weight], other.state_dict()[weight])
