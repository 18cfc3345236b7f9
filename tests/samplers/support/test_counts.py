"""From weights to references: counts, turns, and the race against an enumeration of all its outcomes."""

import itertools

import pytest
import torch
from scipy import stats

from mhpe.poses import Poses
from mhpe.rotations import from_euler
from samplers.support.counts import in_turn, largest_remainder, race, slots, systematic
from samplers.support.groups import Groups
from tests.conftest import make_poses


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_slots_spell_out_counts() -> None:
    counts = torch.tensor([[0, 2, 0, 1], [3, 0, 0, 0]])
    assert slots(counts, 3).tolist() == [[1, 1, 3], [0, 0, 0]]


def test_counts_are_within_one_of_their_share() -> None:
    log_weights = 3 * torch.randn(500, 18, generator=seeded())
    for k in (1, 3, 10, 64):
        counts = largest_remainder(log_weights, k, seeded())
        assert (counts.sum(1) == k).all()
        assert ((counts - k * torch.softmax(log_weights, 1)).abs() < 1 + 1e-3).all()


def test_groups_take_turns_again_and_again() -> None:
    turn = torch.tensor([[2.0, torch.inf, 0.0, 1.0]])
    assert [in_turn(turn, k)[0].tolist() for k in (1, 2, 3, 5)] == [
        [0, 0, 1, 0],
        [0, 0, 1, 1],
        [1, 0, 1, 1],
        [1, 0, 2, 2],
    ]


def outcomes(weights: list[float], groups: list[int], k: int) -> dict[tuple[int, ...], float]:
    """Probability of each multiset of groups when k images are drawn one after the other, each by weight."""
    found: dict[tuple[int, ...], float] = {}
    for images in itertools.permutations(range(len(weights)), k):
        probability, left = 1.0, sum(weights)
        for image in images:
            probability *= weights[image] / left
            left -= weights[image]
        drawn = tuple(sorted(groups[image] for image in images))
        found[drawn] = found.get(drawn, 0) + probability
    return found


@pytest.mark.parametrize("k", [1, 2, 4, 6])
def test_race_draws_by_weight_without_replacement(k: int) -> None:
    """Against an enumeration of all orders of seven images in four groups, one of them empty."""
    weights, groups = torch.tensor([0.2, 1.0, 3.0, 9.0]), [0, 0, 0, 1, 1, 3, 3]
    expected = outcomes([float(weights[group]) for group in groups], groups, k)
    rows = 20_000
    room = torch.bincount(torch.tensor(groups), minlength=4).expand(rows, 4)
    drawn = race(weights.log().expand(rows, 4), room, k, seeded(k)).sort(1).values
    found, times = drawn.unique(dim=0, return_counts=True)
    seen = {tuple(row): count for row, count in zip(found.tolist(), times.tolist(), strict=True)}
    assert set(seen) <= set(expected)
    likely = {outcome: p for outcome, p in expected.items() if p * rows >= 5}
    if len(likely) > 1:
        observed = [seen.get(outcome, 0) for outcome in likely]
        share = sum(observed) / sum(likely.values())
        assert stats.chisquare(observed, [share * p for p in likely.values()]).pvalue > 1e-3


def test_race_survives_extreme_weights() -> None:
    log_weights = torch.tensor([[0.0, -2e4, -4e4, -4e4]]).expand(50, 4)
    room = torch.tensor([[1, 2, 0, 3]]).expand(50, 4)
    assert race(log_weights, room, 3, seeded()).sort(1).values.unique(dim=0).tolist() == [[0, 1, 1]]
    assert race(log_weights, room, 6, seeded()).sort(1).values.unique(dim=0).tolist() == [[0, 1, 1, 3, 3, 3]]


def test_groups_keep_an_owners_images_from_it() -> None:
    poses = make_poses(60)
    owner = torch.arange(60) % 4
    group = torch.arange(60) % 3
    groups = Groups(poses, group, 3, owner)
    room = groups.room(torch.tensor([0, 2, 9]), 10)
    for row, number in zip(room.tolist(), (0, 2, 9), strict=True):
        assert row == [int(((group == g) & (owner != number)).sum()) for g in range(3)]
    wanted = torch.tensor([[0] * 5 + [1] * 3 + [2] * 2]).expand(4000, 10)
    query = torch.arange(4000) % 4
    drawn = groups.draw(wanted, query, seeded())
    assert (owner[drawn] != query[:, None]).all()
    assert torch.equal(group[drawn].sort(1).values, wanted)
    assert (drawn.sort(1).values.diff(dim=1) > 0).all()
    times = torch.bincount(drawn[group[drawn] == 0], minlength=60)[group == 0]
    assert stats.chisquare(times.numpy()).pvalue > 1e-3  # all images of a group are equally likely


def test_who_owns_everything_gets_it_all_the_same() -> None:
    angles = torch.zeros(3, 3)
    poses = Poses(from_euler(angles), angles, torch.zeros(3, dtype=torch.int64), torch.arange(3))
    groups = Groups(poses, torch.zeros(3, dtype=torch.int64), 1, poses.identities)
    drawn = groups.draw(torch.zeros(2, 3, dtype=torch.int64), torch.tensor([0, 5]), seeded())
    assert drawn.sort(1).values.tolist() == [[0, 1, 2], [0, 1, 2]]


@pytest.mark.parametrize("k", [1, 4, 8, 17])
def test_systematic_counts_are_right_on_average_and_never_off_by_one(k: int) -> None:
    generator = torch.Generator().manual_seed(k)
    log_weights = torch.randn(1, 18, generator=generator) * 2
    log_weights[0, 5] = -torch.inf
    share = k * torch.softmax(log_weights.double(), 1)
    counts = systematic(log_weights.expand(20_000, 18), k, generator)
    assert (counts.sum(1) == k).all()
    assert ((counts - share).abs() < 1).all()
    assert (counts[:, 5] == 0).all()
    assert (counts.double().mean(0) - share[0]).abs().max() < 0.02


def test_systematic_counts_tell_sigmas_apart_that_largest_remainders_confuse() -> None:
    offsets = torch.arange(-160.0, 181, 20)
    generator = torch.Generator().manual_seed(0)
    wide, wider = (-(offsets**2) / (2 * sigma**2) for sigma in (30, 45))
    confused = [largest_remainder(one[None], 4, generator).sort().values for one in (wide, wider)]
    assert torch.equal(*confused)
    told = [systematic(one.expand(4000, 18), 4, generator).double().mean(0) for one in (wide, wider)]
    assert (told[0] - told[1]).abs().max() > 0.2
