"""Nothing in the steps of an epoch waits for the device.

PyTorch's ``meta`` device stands for an accelerator. Its tensors have shapes but no values: whoever asks for one
(``item``, ``cpu``, ``nonzero``, ``unique``, a mask as index, a branch) gets an error.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from mhpe.config import CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.poses import Poses
from mhpe.train.loop import train
from samplers.gaussian import Gaussian
from tests.conftest import make_poses

META = torch.device("meta")
TINY = CoreConfig(image_size=32, k=4, batch_size=8, epochs=1, precision="float32", encoder={"m": 8, "widths": (16,)})


class Steps:
    """Counts the steps, and keeps what a step sends to the device in a way that the host waits for.

    Constants that the first step sends are kept for all later ones.
    """

    def __init__(self) -> None:
        self.count = 0
        self.waited_for: list[str] = []

    def note(self, call: Any, result: Any) -> None:
        if self.count > 1 and isinstance(result, Tensor) and result.device == META:
            self.waited_for.append(f"{call} {tuple(result.shape)}")


class Copies(TorchDispatchMode):
    """Notes copies that are not asynchronous."""

    def __init__(self, steps: Steps) -> None:
        super().__init__()
        self.steps = steps

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if func is torch.ops.aten._to_copy.default and args[0].device != META and not kwargs.get("non_blocking"):
            self.steps.note(func, result)
        return result


class Constants(TorchFunctionMode):
    """Notes tensors made of Python's numbers."""

    def __init__(self, steps: Steps) -> None:
        super().__init__()
        self.steps = steps

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in (torch.tensor, torch.as_tensor, torch.Tensor.new_tensor):
            self.steps.note(func.__name__, result)
        return result


def heads(count: int) -> HeadPoseSet:
    poses = make_poses(count)
    return HeadPoseSet(
        name="made up",
        folder=Path(),
        images=torch.randint(256, (count, 3, 32, 32), dtype=torch.uint8).numpy(),
        rotations=poses.rotations.numpy(),
        angles=poses.angles.numpy(),
        image_ids=tuple(map(str, range(count))),
        identities=poses.identities.numpy(),
        fingerprint="",
        meta={},
    )


@pytest.fixture
def unfused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fused optimiser, the one thing that knows no such device, is replaced by the plain one."""
    adam = torch.optim.Adam
    monkeypatch.setattr(torch.optim, "Adam", lambda *args, fused, **options: adam(*args, **options))


@pytest.mark.slow
@pytest.mark.parametrize("references", ["exact", "pool"])
@pytest.mark.usefixtures("unfused")
def test_an_epoch_waits_for_the_device_only_at_its_end(references: str) -> None:
    steps = Steps()

    class Counting(Gaussian):
        def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
            steps.count += 1
            return super().draw(query, k, generator)

    config = TINY.model_copy(update={"references": references, "pool_size": 20})
    with Copies(steps), Constants(steps), pytest.raises(NotImplementedError, match="meta"):
        train(config, heads(50), Counting(), 0, META)  # fails where the epoch's losses are read
    assert steps.count == 6
    assert steps.waited_for == []
