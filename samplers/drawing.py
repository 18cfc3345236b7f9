"""From weights to whole numbers of references, vectorised over a batch."""

import torch
from torch import Tensor


def largest_remainder(log_weights: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Counts that sum to k, as near to k times the normalised weights as whole numbers can be.

    Every group gets the whole part of its share; the rest goes to the largest remainders. Equal remainders
    are put in random order: a fixed one would prefer one side of the head.

    Args:
        log_weights: (B, groups), -inf for no weight; at least one weight in each row.
        k: sum of each row of counts.
        generator: for equal remainders.

    Returns:
        (B, groups) int64 counts.
    """
    share = k * torch.softmax(log_weights, 1)
    whole = (share + 1e-4).floor()  # a rounding error below a whole number is that number
    tie_break = 1e-4 * torch.rand(share.shape, generator=generator, device=share.device)
    remainder = (share - whole + tie_break).masked_fill(share == 0, -torch.inf)
    missing = k - whole.sum(1, keepdim=True)
    rank = remainder.argsort(1, descending=True).argsort(1)
    return (whole + (rank < missing)).long()


def slots(counts: Tensor, k: int) -> Tensor:
    """The group of each of k references, in order, (B, k), from counts (B, groups) that sum to k."""
    place = torch.arange(k, device=counts.device).repeat(len(counts), 1)
    return torch.searchsorted(counts.cumsum(1), place, right=True)
