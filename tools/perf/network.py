"""Rows of the network: forward and backward against the obvious one, and predictions against well-known networks."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
import torchvision
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mhpe.config import CoreConfig
from mhpe.model.encoder import normalise
from mhpe.model.heads import build
from mhpe.model.precision import autocast, resolve
from tools.perf.obvious_encoder import ObviousEncoder
from tools.perf.rows import Goal, Row, Setting, faster
from tools.perf.timing import paired, timed

BATCH = 256


def network_row(setting: Setting) -> Iterator[Row]:
    """Forward and backward with the modified CBAM, in the encoder's number format."""
    config, device = CoreConfig(), setting.device
    dtype = resolve(config.precision, device)
    ours = build(config, 0).to(device).train()
    theirs = ObviousEncoder(config.encoder.m).to(device).train()
    images = torch.randn(BATCH, 3, config.image_size, config.image_size, device=device)
    found = paired(
        timed(_forward_and_backward(ours.encoder, images.contiguous(memory_format=torch.channels_last), dtype), device),
        timed(_forward_and_backward(theirs, images, dtype), device),
        turns=9,
        units=BATCH,
    )
    millions = (macs(network, config.image_size) / 1e6 for network in (ours.encoder, theirs))
    yield faster(
        "forward and backward of the encoder with the modified CBAM",
        found,
        "the slides' blocks read literally, eager, with the same attention",
        Goal(">=", 1.5),
        unit="images/s",
        per_second=True,
        note="{:.1f} and {:.1f} million MACs an image".format(*millions),
    )


def prediction_rows(setting: Setting) -> Iterator[Row]:
    """Milliseconds of a prediction, for one image and for a batch, float32, against two well-known networks."""
    config, device = CoreConfig(), setting.device
    ours = build(config, 0).to(device).eval()
    size = config.image_size
    for name in ("mobilenet_v3_small", "resnet18"):
        theirs = torchvision.models.get_model(name, weights=None, num_classes=9).to(device).eval()
        cost = f"ours {_cost(ours, ours.encoder, size)}; theirs {_cost(theirs, theirs, size)}"
        for count, title in ((1, "one image"), (BATCH, f"a batch of {BATCH}")):
            raw = torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8)
            found = paired(
                timed(partial(ours.predict, raw), device, 20 if count == 1 else 1),
                timed(_inference(theirs, raw, device), device, 20 if count == 1 else 1),
                turns=9,
            )
            yield faster(
                f"prediction, {title}, {size}x{size}", found, f"{name} with a linear head",
                unit="ms", per_second=False, note=cost if count == 1 else "",
            )  # fmt: skip


def _cost(network: nn.Module, part: nn.Module, size: int) -> str:
    """Parameters of a network and MACs of its expensive part."""
    millions = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    return f"{millions:.2f} M parameters, {macs(part, size) / 1e6:.1f} M MACs"


def _inference(network: nn.Module, raw: Tensor, device: torch.device) -> Callable[[], object]:
    def work() -> object:
        with torch.no_grad():
            return network(normalise(raw.to(device))).cpu()

    return work


def _forward_and_backward(network: nn.Module, images: Tensor, dtype: torch.dtype) -> Callable[[], None]:
    def work() -> None:
        network.zero_grad(set_to_none=True)
        with autocast(dtype, images.device):
            z = network(images)
        z.sum().backward()

    return work


def macs(network: nn.Module, size: int) -> float:
    """Multiplications of one image of a network of convolutions, linear layers and matrix products."""
    device = next(network.parameters()).device
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, size, size, device=device))
    return float(counter.get_total_flops()) / 2
