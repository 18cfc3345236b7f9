"""A network as the training, the evaluation and the exports use it: a loss and a prediction."""

from abc import ABC, abstractmethod
from contextlib import nullcontext
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from mhpe.config import CoreConfig
from mhpe.model.encoder import Encoder, normalise
from mhpe.poses import Poses
from mhpe.seeding import generator


class Prediction(NamedTuple):
    """The answer for B images."""

    rotations: Tensor  # (B, 3, 3) canonical rotations, float32
    strengths: Tensor  # (B, 3) matrix Fisher concentration, s1 >= s2 >= |s3|; not a number if the network predicts none


class StepLoss(NamedTuple):
    """A step's weighted total, and the unweighted losses in the order of :attr:`Network.parts`, detached."""

    total: Tensor
    parts: Tensor


class Network(nn.Module, ABC):
    """An encoder and a head that makes rotations of its features; one for input and references.

    Args:
        config: the core's configuration.
        seed: of the initial weights; PyTorch's global generator is left as it was. The encoder starts with the same
            weights whatever the head.
    """

    parts: ClassVar[tuple[str, ...]]  # names of the losses
    has_concentration: ClassVar[bool] = True  # of predictions

    def __init__(self, config: CoreConfig, seed: int) -> None:
        super().__init__()
        self.config = config
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(generator(seed, "weights").initial_seed())
            self.encoder = Encoder(config.encoder)
            self.add_head()
        self.to(memory_format=torch.channels_last)

    @abstractmethod
    def add_head(self) -> None:
        """Make the head's modules."""

    def forward(self, images: Tensor, dtype: torch.dtype = torch.float32) -> Any:
        """Normalised images (B, 3, S, S) to the network's output; the encoder computes in ``dtype``."""
        return self.output(self.features(images, dtype))

    def features(self, images: Tensor, dtype: torch.dtype) -> Tensor:
        """Normalised images (B, 3, S, S) to the encoder's features (B, m, 3); the encoder computes in ``dtype``."""
        with nullcontext() if dtype == torch.float32 else torch.autocast(images.device.type, dtype):
            features: Tensor = self.encoder(images)
        return features

    @abstractmethod
    def output(self, features: Tensor) -> Any:
        """What the loss needs of images with features (B, m, 3)."""

    @abstractmethod
    def loss(self, output: Any, poses: Poses, inputs: Tensor, references: Tensor, noise: torch.Generator) -> StepLoss:
        """The loss of a step whose distinct images were encoded once.

        Args:
            output: of the M distinct images.
            poses: their labels.
            inputs: (B,) positions of the inputs among the M.
            references: (B, K) positions of the references among the M.
            noise: generator of the distance noise.
        """

    @abstractmethod
    def answer(self, features: Tensor) -> Prediction:
        """The prediction for features (B, m, 3)."""

    @torch.no_grad()
    def predict(self, images: Tensor, batch_size: int = 256) -> Prediction:
        """Predictions on the CPU for bytes (N, 3, S, S), in float32: inference runs the input stream alone."""
        self.eval()
        device = next(self.parameters()).device
        answers = [self.answer(self.encoder(normalise(batch.to(device)))) for batch in images.split(batch_size)]
        rotations, strengths = zip(*answers, strict=True)
        return Prediction(torch.cat(rotations).cpu(), torch.cat(strengths).cpu())


def resolve(precision: str, device: torch.device) -> torch.dtype:
    """The encoder's number format on a device, for a precision of ``auto``, ``bfloat16`` or ``float32``.

    ``auto`` is bfloat16 where the hardware has it; emulated, it is slower than float32.
    """
    bfloat16 = precision == "bfloat16"
    if precision == "auto" and device.type == "cuda":
        bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    elif precision == "auto":
        capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        bfloat16 = bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return torch.bfloat16 if bfloat16 else torch.float32
