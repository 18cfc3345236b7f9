"""Options of the core: each does what it says, and enters a trial's key exactly when it counts."""

import copy
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from mhpe.config import CORES, CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.errors import InputError
from mhpe.model.encoder import normalise, triple_vector
from mhpe.model.heads import build
from mhpe.model.mhpe import MHPE
from mhpe.paths import PRETRAINED
from mhpe.poses import Poses
from mhpe.seeding import generator
from mhpe.train.loop import poses_of, train, update_average
from mhpe.train.references import EpochDraws
from mhpe.train.warm_start import warm_start
from samplers.random import Random
from tests.conftest import make_poses
from tests.mhpe.conftest import prepared_heads

CPU = torch.device("cpu")
TINY: dict[str, Any] = {
    "image_size": 16, "k": 2, "batch_size": 16, "epochs": 3, "precision": "float32",
    "encoder": {"m": 8, "widths": (8, 16), "patch": 2},
}  # fmt: skip


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> HeadPoseSet:
    return prepared_heads(tmp_path_factory.mktemp("heads"), 48, 16)


def config(**changes: Any) -> CoreConfig:
    return CoreConfig(**TINY | changes)


def step(core: CoreConfig, poses: Poses, references: int = 3) -> tuple[Any, Any]:
    """Output and loss of a network on random images: two inputs, their references after them."""
    model = build(core, 0)
    images = torch.randn(len(poses), 3, 16, 16, generator=generator(0, "noise"))
    output = model(images)
    at = torch.arange(2, 2 + 2 * references).view(2, references)
    return output, model.loss(output, poses, torch.arange(2), at, generator(0, "noise"))


@pytest.mark.parametrize("seed", [0, 1])
def test_first_gradient_of_the_encoder_is_moderate(seed: int, heads: HeadPoseSet) -> None:
    """The nearest rotation's gradient grows as 1 / singular values, which PyTorch's initial weights make 0.05."""
    poses, core = poses_of(heads), CoreConfig(image_size=16, **CORES["slides"])
    inputs, drawn = next(iter(EpochDraws(core, Random(), poses, seed, 0)))

    def norm(scale: float) -> float:
        network = MHPE(core, seed).train()
        with torch.no_grad():
            network.scme.rotation_estimator.linear.bias.mul_(scale)
        output = network(normalise(torch.from_numpy(heads.images)))
        network.loss(output, poses, inputs, drawn, generator(seed, "noise")).total.backward()
        gradients = [value.grad.square().sum() for value in network.encoder.parameters() if value.grad is not None]
        return float(torch.stack(gradients).sum().sqrt())

    assert norm(1) < 10
    assert norm(0) > 2 * norm(1)


def test_scme_starts_near_the_identity_with_some_concentration() -> None:
    model = MHPE(CoreConfig(), 0)
    z = triple_vector(torch.randn(50, 128, 3))
    singular = torch.linalg.svdvals(model.scme.rotation_estimator(z))
    assert ((singular > 0.6) & (singular < 1.4)).all()
    strength = model.scme.concentration_module(z)[0]
    torch.testing.assert_close(strength.mean(0), torch.tensor([3.0, 2.0, 1.0]), atol=0.3, rtol=0)


def test_absolute_vector_errors_are_lengths_of_columns() -> None:
    poses = make_poses(8)
    output, loss = step(config(vector_error="absolute", reference_weight=0), poses)
    lengths = torch.linalg.vector_norm(output.raw - poses.rotations, dim=1).mean(1)
    torch.testing.assert_close(loss.parts[0], lengths[:2].mean(), atol=1e-4, rtol=0)


def test_reference_weight_balances_means() -> None:
    poses = make_poses(8)
    parts = [step(config(reference_weight=weight), poses)[1].parts for weight in (0.0, 1.0, 0.25)]
    torch.testing.assert_close(parts[2], parts[0] + 0.25 * (parts[1] - parts[0]))
    assert parts[0][2] == parts[1][2]  # the metric loss has a weight of its own


def test_references_have_an_scme_of_their_own_only_when_asked_and_used() -> None:
    poses = make_poses(8)
    output, loss = step(config(separate_scme=True), poses)
    own, _ = output.reference
    shared = build(config(), 0).loss(
        output._replace(reference=None), poses, torch.arange(2), torch.arange(2, 8).view(2, 3), generator(0, "noise")
    )
    assert not torch.equal(own, output.raw)
    assert loss.parts[0] != shared.parts[0]
    assert (
        build(config(separate_scme=True, reference_weight=0), 0).state_dict().keys()
        == build(config(), 0).state_dict().keys()
    )


def test_normalisers_factor_and_concentration_from_raw_features() -> None:
    poses = make_poses(8)
    output, plain = step(config(reference_weight=0), poses)
    _, factor = step(config(reference_weight=0, nll_factor=1.05), poses)
    assert factor.parts[3] > plain.parts[3]
    raw, _ = step(config(concentration_input="raw"), poses)
    torch.testing.assert_close(raw.raw, output.raw)
    assert not torch.allclose(raw.distribution.strength, output.distribution.strength)


def test_no_references_asks_no_sampler(heads: HeadPoseSet) -> None:
    epochs: list[Any] = []
    train(config(k=0), heads, None, 0, CPU, epochs.append)  # type: ignore[arg-type]
    assert epochs[0].images_per_input == 1
    assert epochs[0].losses["dist"] == 0
    train(config(k=0, head="euler"), heads, None, 0, CPU)  # type: ignore[arg-type]


def test_references_of_the_batch_are_its_inputs(heads: HeadPoseSet) -> None:
    for inputs, drawn in EpochDraws(config(references="batch"), Random(), make_poses(100), 0, 0):
        assert torch.isin(drawn, inputs).all()
        assert not (drawn == inputs[:, None]).any()
    epochs: list[Any] = []
    train(config(references="batch"), heads, Random(), 0, CPU, epochs.append)
    assert epochs[0].images_per_input == 1


def test_inputs_by_inverse_density_flatten_the_poses() -> None:
    poses = make_poses(2000)

    def share(**changes: Any) -> float:
        draws = EpochDraws(config(augmentation={"flip": 0}, **changes), Random(), poses, 0, 0)
        inputs = torch.cat([inputs for inputs, _ in draws])
        return float((poses.yaw[inputs].abs() > 60).float().mean())

    assert share(inputs="inverse_density") > 1.5 * share() > 0


def test_arms_of_a_seed_share_order_flips_and_noise(heads: HeadPoseSet) -> None:
    """Whatever the references are, inputs come in the same order."""
    poses = make_poses(100)
    plain = [inputs for inputs, _ in EpochDraws(config(), Random(), poses, 3, 1)]
    for changes in ({"references": "batch"}, {"k": 0}, {"references": "pool", "pool_size": 20}):
        other = EpochDraws(config(**changes), Random(), poses, 3, 1)
        assert all(torch.equal(a, b) for a, (b, _) in zip(plain, other, strict=True))


def test_average_is_the_scored_network_and_follows_its_formula(heads: HeadPoseSet) -> None:
    network = build(config(), 0)
    average = copy.deepcopy(network)
    expected = {name: value.clone() for name, value in network.state_dict().items()}
    for number in (1, 2, 3):
        for value in network.state_dict().values():
            value.add_(1)
        update_average(average, network, 0.5, number)
        decay = min(0.5, (1 + number) / (10 + number))
        for name, value in network.state_dict().items():
            expected[name] = decay * expected[name] + (1 - decay) * value if value.is_floating_point() else value
    for name, value in average.state_dict().items():
        torch.testing.assert_close(value, expected[name])
    last, averaged = (train(config(average=kind), heads, Random(), 0, CPU) for kind in ("none", "ema"))
    assert not torch.equal(last.encoder.features.weight, averaged.encoder.features.weight)


@pytest.mark.parametrize("changes", [{}, {"separate_scme": True}, {"concentration_input": "raw"}, {"head": "euler"}])
def test_warm_start_has_the_shipped_weights(changes: dict[str, Any]) -> None:
    network, shipped = build(CoreConfig(init="synthheads", **changes), 0), load_file(PRETRAINED)
    warm_start(network)
    state = network.state_dict()
    same = {name for name, value in shipped.items() if name in state and torch.equal(state[name], value)}
    assert {name for name in shipped if name.startswith("encoder.")} <= same
    raw = "concentration_input" in changes
    assert ("scme.concentration_module.linear.weight" in same) == (not raw and "head" not in changes)
    if "separate_scme" in changes:
        name = "scme.rotation_estimator.linear.weight"
        assert torch.equal(state[f"reference_{name}"], shipped[name])


def test_warm_start_needs_the_same_encoder() -> None:
    with pytest.raises(InputError, match=r"needs encoder.m: 128, not 8"):
        warm_start(build(config(init="synthheads", encoder={"m": 8}), 0))


USED = [
    ({"k": 0}, {"references": "batch"}),
    ({"k": 0}, {"losses": {"dist": 0.5}}),
    ({"k": 0}, {"reference_weight": 0.5}),
    ({"head": "euler"}, {"vector_error": "squared"}),
    ({"head": "euler"}, {"nll_factor": 1.05}),
    ({"head": "euler"}, {"metric_loss": "log_ratio"}),
    ({"head": "euler"}, {"separate_scme": True}),
    ({"losses": {"dist": 0}}, {"noise_c": 0.3}),
    ({"losses": {"dist": 0}}, {"metric_loss": "log_ratio"}),
    ({"metric_loss": "log_ratio"}, {"noise_c": 0.3}),
    ({"reference_weight": 0}, {"separate_scme": True}),
    ({}, {"average_decay": 0.9}),
    ({}, {"pool_size": 50}),
    ({}, {"augmentation": {"photographic": 0.0}}),
]


@pytest.mark.parametrize(("core", "change"), USED)
def test_options_without_effect_change_no_key(core: dict[str, Any], change: dict[str, Any]) -> None:
    assert config(**core | change).used() == config(**core).used()


@pytest.mark.parametrize(
    "change",
    [
        {"vector_error": "squared"}, {"average": "ema"}, {"k": 0}, {"references": "batch"}, {"reference_weight": 0.5},
        {"inputs": "inverse_density"}, {"separate_scme": True}, {"concentration_input": "raw"}, {"nll_factor": 1.05},
        {"metric_loss": "log_ratio"}, {"head": "euler"}, {"init": "synthheads"},
        {"augmentation": {"photographic": 0.5}},
    ],
)  # fmt: skip
def test_options_with_effect_change_the_key(change: dict[str, Any]) -> None:
    assert config(**change).used() != config().used()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"references": "batch", "k": 16}, "batch_size must be above k"),
        ({"metric_loss": "log_ratio", "k": 1}, "k must be above 1"),
        ({"init": "synthheads", "encoder": {"backbone": "resnet18"}}, "backbone"),
    ],
)
def test_meaningless_options_are_refused(change: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        config(**change)


@pytest.mark.parametrize("name", CORES)
def test_named_cores_are_valid(name: str) -> None:
    CoreConfig(**CORES[name])
