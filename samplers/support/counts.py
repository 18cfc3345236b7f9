"""Sampling weights, and integer reference counts from them, vectorised over a batch."""

import torch
from torch import Tensor


def gaussian_exponent(distance: Tensor, sigma: float) -> Tensor:
    """``-distance^2 / (2 sigma^2)``, finite in float32: sigma counts as 1e-15 at least and 1e15 at most."""
    return (distance / min(max(sigma, 1e-15), 1e15)).square() / -2


def largest_remainder(log_weights: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Counts (B, groups), int64, with sum k, as near to k times the normalised weights as whole numbers can be.

    Every group gets the whole part of its share; the rest goes to the largest remainders. Equal remainders are put in
    random order: a fixed one would prefer one side of the head. ``log_weights`` (B, groups) are -inf for no weight,
    with at least one weight in each row.
    """
    share = k * torch.softmax(log_weights, 1)
    whole = (share + 1e-4).floor()  # a rounding error below a whole number is that number
    tie_break = 1e-4 * torch.rand(share.shape, generator=generator, device=share.device)
    remainder = (share - whole + tie_break).masked_fill(share == 0, -torch.inf)
    missing = k - whole.sum(1, keepdim=True)
    rank = remainder.argsort(1, descending=True).argsort(1)
    return (whole + (rank < missing)).long()


def systematic(log_weights: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Counts (B, groups), int64, with sum k; k times the normalised weights on average, each within one of that.

    Systematic sampling: k evenly spaced marks with one random start fall on the groups' shares laid end to end
    (Madow 1949). Small weights get their share on average, which largest remainders never give them. The
    ``log_weights`` are as in :func:`largest_remainder`.
    """
    ends = (k * torch.softmax(log_weights.double(), 1).cumsum(1)).clamp_max(k)
    start = torch.rand(len(ends), 1, generator=generator, device=ends.device, dtype=torch.float64)
    passed = (ends + start).floor()
    passed = torch.where(ends > k - 1e-9, float(k), passed)  # all marks have passed where the shares end
    return passed.diff(dim=1, prepend=torch.zeros_like(start)).long()


def in_turn(turn: Tensor, k: int) -> Tensor:
    """Counts (B, groups), int64, with sum k: groups give one reference each in turn, repeatedly.

    ``turn`` (B, groups) is the order, the lowest first; inf for groups that are left out.
    """
    usable = turn.isfinite()
    groups = usable.sum(1, keepdim=True)
    rank = turn.argsort(1).argsort(1)
    return (k // groups + (rank < k % groups)) * usable


def slots(counts: Tensor, k: int) -> Tensor:
    """The group of each of k references, in order, (B, k), from counts (B, groups) that sum to k."""
    place = torch.arange(k, device=counts.device).repeat(len(counts), 1)
    return torch.searchsorted(counts.cumsum(1), place, right=True)


def race(log_weights: Tensor, room: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Groups (B, k) of k images drawn by weight without replacement, the images of a group having equal weights.

    Weighted sampling without replacement is a race (Efraimidis and Spirakis 2006): each image arrives after
    an exponential time whose rate is its weight, and the first k are drawn. The first arrival in a group of
    n images is exponential with rate n w, the next one comes after a further one with rate (n - 1) w, and
    so on, so that no image needs a time of its own. Only the k groups whose first arrivals are earliest matter.

    Args:
        log_weights: (B, groups) logarithm of the weight of each image of a group, finite.
        room: (B, groups) images in each group, which is not drawn more often; at least k in each row.
        k: images per row.
        generator: on the weights' device.
    """

    def logarithm_of_time(shape: torch.Size) -> Tensor:
        """Of exponential times with rate 1."""
        return torch.rand(shape, generator=generator, device=room.device).neg_().log1p_().neg_().log_()

    first = logarithm_of_time(room.shape) - log_weights - room.log()
    first = first.masked_fill(room == 0, torch.inf)
    first, group = first.topk(min(k, room.shape[1]), largest=False)
    log_weight, size = log_weights.gather(1, group)[..., None], room.gather(1, group)[..., None]
    left = size - torch.arange(k, device=room.device)  # images of the group before each of its arrivals
    wait = (logarithm_of_time(left.shape) - left.log()).exp()
    wait[..., 0] = (first + log_weight[..., 0]).exp()
    arrival = wait.cumsum(2).log() - log_weight
    arrival = arrival.masked_fill(left <= 0, torch.inf)
    return group.gather(1, arrival.flatten(1).topk(k, largest=False).indices // k)
