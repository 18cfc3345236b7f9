"""An exponential moving average of a network over the steps of its training."""

import copy

import torch
from torch import Tensor

from mhpe.model.network import Network


class Average:
    """The average of weights and batch norm statistics; ``network`` is it, and starts as a copy.

    After n steps the average moves by ``1 - min(decay, (1 + n) / (10 + n))`` towards the network, so that the first
    weights are soon forgotten.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, network: Network, step: int) -> None:
        """Take in the network after a step, numbered from 1."""
        decay = min(self._decay, (1 + step) / (10 + step))
        averages: list[Tensor] = []
        values: list[Tensor] = []
        for average, value in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if average.is_floating_point():
                averages.append(average)
                values.append(value)
            else:
                average.copy_(value)  # batch norm's count of steps
        torch._foreach_lerp_(averages, values, 1 - decay)
