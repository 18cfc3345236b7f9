"""The state of a training after its last finished epoch, in one file: a training that was killed goes on from it."""

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

FORMAT = 1
MORE = "more"
"""Prefix of the further tensors."""
SCHEDULE_STATE = ("last_epoch", "_step_count", "_last_lr")
"""What a learning rate schedule changes; the rest follows from the configuration."""


class Checkpoint:
    """A training's checkpoint: weights, Adam's moments and step counts, learning rate, and the finished epochs.

    Whatever else a training has to keep, such as a sampler's state, goes into further tensors. A file that is damaged
    or of another context is not used, and a checkpoint that cannot be written does not end a training: both leave a
    note in ``notes``.

    Args:
        path: of the file; its folder is made when it is needed.
        context: what else the numbers depend on: the trial, versions and device.
    """

    def __init__(self, path: Path, context: str) -> None:
        self.path, self.context = path, context
        self.notes: list[str] = []
        self._before, self._started = 0.0, time.perf_counter()

    @property
    def seconds(self) -> float:
        """Duration of the training, the part before it was killed included."""
        return self._before + time.perf_counter() - self._started

    def save(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        history: Sequence[Any],
        more: Mapping[str, Tensor] = MappingProxyType({}),
    ) -> None:
        """Write the state after the last epoch of ``history`` (dataclasses), in one step: never half a file."""
        schedule_state = schedule.state_dict()
        groups = [
            {name: value for name, value in group.items() if name != "params"} for group in optimizer.param_groups
        ]
        facts = json.dumps(
            {
                "format": FORMAT,
                "context": self.context,
                "history": [asdict(epoch) for epoch in history],
                "seconds": self.seconds,
                "groups": groups,
                "schedule": {name: schedule_state[name] for name in SCHEDULE_STATE},
            }
        )
        tensors = _tensors(model, optimizer, more)
        content = safetensors.torch.save(tensors, {"facts": facts, "digest": _digest(tensors, facts)})
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(content)
            temporary.replace(self.path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            self._note(f"no checkpoint in {self.path.parent}: {error.strerror or error}")

    def restore(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LRScheduler
    ) -> tuple[list[dict[str, Any]], dict[str, Tensor]]:
        """Put the stored state into a fresh network, optimizer and schedule.

        Returns:
            The fields of the finished epochs, and the further tensors; empty if there is no usable file.
        """
        read = self._read()
        if read is None:
            return [], {}
        tensors, facts = read
        model.load_state_dict({name: tensors[f"model.{name}"] for name in model.state_dict()})
        for name, parameter in model.named_parameters():
            for kind in ("step", "exp_avg", "exp_avg_sq"):
                if (value := tensors.get(f"{kind}.{name}")) is not None:
                    # With the parameter's memory layout, which the fused Adam takes for granted.
                    place = torch.empty_like(parameter if kind != "step" else value, device=parameter.device)
                    optimizer.state[parameter][kind] = place.detach().copy_(value)
        for group, stored in zip(optimizer.param_groups, facts["groups"], strict=True):
            group.update({**stored, "betas": tuple(stored["betas"])})
        schedule.load_state_dict(facts["schedule"])
        self._before = facts["seconds"]
        history: list[dict[str, Any]] = facts["history"]
        prefix = f"{MORE}."
        return history, {name.removeprefix(prefix): tensors[name] for name in tensors if name.startswith(prefix)}

    def remove(self) -> None:
        """Delete the file, and what killed processes left half written."""
        for path in self.path.parent.glob(f"{self.path.name}*"):
            path.unlink(missing_ok=True)

    def _read(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, "pt") as file:
                labels = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, not a mapping
            facts = json.loads(labels["facts"])
            if labels["digest"] != _digest(tensors, labels["facts"]):
                raise ValueError("its content has changed")
            if facts["format"] != FORMAT or facts["context"] != self.context:
                raise ValueError("it is of another trial, version or device")
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            self._note(f"checkpoint {self.path} not used: {error}")
            return None
        return tensors, facts

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _tensors(model: nn.Module, optimizer: torch.optim.Optimizer, more: Mapping[str, Tensor]) -> dict[str, Tensor]:
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        tensors |= {f"{kind}.{name}": value for kind, value in optimizer.state.get(parameter, {}).items()}
    tensors |= {f"{MORE}.{name}": value for name, value in more.items()}
    return {name: value.detach().cpu().contiguous() for name, value in tensors.items()}


def _digest(tensors: Mapping[str, Tensor], facts: str) -> str:
    digest = hashlib.sha256(facts.encode())
    for name in sorted(tensors):
        digest.update(name.encode() + tensors[name].numpy().tobytes())
    return digest.hexdigest()
