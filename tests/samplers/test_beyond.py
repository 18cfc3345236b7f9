"""The samplers beyond the slides, against their formulas over all pairs of images."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import roma
import torch
from scipy import stats
from scipy.spatial.transform import Rotation

from mhpe.poses import Poses
from mhpe.rotations import from_euler, geodesic_degrees
from samplers.annealed_gaussian import AnnealedGaussian
from samplers.density_corrected_gaussian import DensityCorrectedGaussian
from samplers.distance_weighted import DistanceWeighted
from samplers.geodesic_gaussian import GeodesicGaussian
from samplers.inverse_density import InverseDensity
from samplers.near_and_far import NearAndFar
from samplers.same_pose_other_identity import SamePoseOtherIdentity
from samplers.so3_cells import CELLS_PER_EDGE, CellSampler, canonical_quaternions, cell_numbers
from samplers.stratified import Stratified
from samplers.super_fibonacci import SuperFibonacci, super_fibonacci
from tests.conftest import make_poses

DRAWS = 20_000
Pairs = np.ndarray


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def one_per_cell(count: int) -> Poses:
    """Poses like photographs', no two of them in a cell: there the samplers are exact."""
    poses = make_poses(20 * count)
    cells = cell_numbers(canonical_quaternions(poses.rotations), CELLS_PER_EDGE).numpy()
    lone = torch.from_numpy(np.unique(cells, return_index=True)[1][:count])
    assert len(lone) == count
    kept = poses[lone]
    return Poses(kept.rotations, kept.angles, torch.arange(count) // 5, torch.arange(count))


def all_angles(poses: Poses) -> Pairs:
    """Angles between all images in degrees, by another library than the samplers'."""
    turns = Rotation.from_matrix(poses.rotations.numpy())
    return np.array([np.degrees((turn.inv() * turns).magnitude()) for turn in turns])


def gaussian(theta: Pairs, sigma: float) -> Pairs:
    return np.exp(-(theta**2) / (2 * sigma**2))


def density(theta: Pairs, bandwidth: float) -> Pairs:
    return np.exp(-2 * np.sin(np.radians(theta) / 2) ** 2 / np.radians(bandwidth) ** 2).sum(1)


def mixture(theta: Pairs) -> Pairs:
    near = gaussian(theta, 20) * (1 - np.eye(len(theta)))
    return 0.7 * near / near.sum(1, keepdims=True) + 0.3 / (len(theta) - 1)


def capped_inverse(theta: Pairs) -> Pairs:
    p = density(theta, 12)
    return np.broadcast_to(1 / np.maximum(p, p.mean() / 1.5), theta.shape)


FORMULAS: list[tuple[CellSampler, Callable[[Pairs], Pairs]]] = [
    (GeodesicGaussian(sigma=25), lambda theta: gaussian(theta, 25)),
    (DensityCorrectedGaussian(sigma=25, bandwidth=20), lambda theta: gaussian(theta, 25) / density(theta, 20)),
    (NearAndFar(rho=0.7, sigma=20), mixture),
    (DistanceWeighted(cutoff=30), lambda theta: 1 / (1 - np.cos(np.radians(np.maximum(theta, 30))))),
    (InverseDensity(bandwidth=12, cap=1.5), capped_inverse),
    (AnnealedGaussian(start=50, end=10), lambda theta: gaussian(theta, 40)),
]
NAMES = [sampler.name for sampler, _ in FORMULAS]


@pytest.mark.parametrize(("sampler", "formula"), FORMULAS, ids=NAMES)
def test_draws_follow_the_formula_over_all_pairs(sampler: CellSampler, formula: Callable[[Pairs], Pairs]) -> None:
    poses = one_per_cell(40)
    weights = formula(all_angles(poses))
    sampler.fit(poses, 0.25)
    for image in (0, 17):
        expected = weights[image] * (np.arange(40) != image)
        expected /= expected.sum()
        query = poses[torch.full((DRAWS,), image)]
        times = np.bincount(sampler.draw(query, 1, seeded(image)).flatten().numpy(), minlength=40)
        likely = expected * DRAWS >= 5
        share = times[likely].sum() / expected[likely].sum()
        assert times[image] == 0
        assert stats.chisquare(times[likely], share * expected[likely]).pvalue > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(("sampler", "formula"), FORMULAS[:4], ids=NAMES[:4])
def test_cells_of_many_images_come_close_to_the_formula(
    sampler: CellSampler, formula: Callable[[Pairs], Pairs]
) -> None:
    """The total-variation distance between what cells draw and what all pairs would, without sampling noise."""
    poses = make_poses(700)
    sampler.fit(poses, 0.25)
    cells = sampler._cells
    cell = torch.empty(len(poses), dtype=torch.int64)
    cell[cells._order] = torch.repeat_interleave(cells.sizes)
    query = poses[torch.arange(50)]
    log_weights = sampler.log_weights(cells.angles(query), cells.room(query.index, 1))[:, cell]
    log_weights[torch.arange(50), torch.arange(50)] = -torch.inf
    drawn = torch.softmax(log_weights, 1).numpy()
    exact = formula(all_angles(poses))[:50] * (1 - np.eye(50, 700))
    exact /= exact.sum(1, keepdims=True)
    assert abs(drawn - exact).sum(1).mean() / 2 < 0.12


def test_without_replacement_is_one_after_the_other() -> None:
    """K = 6 against drawing image by image, as numpy does it."""
    poses = one_per_cell(30)
    sampler = GeodesicGaussian(sigma=30)
    sampler.fit(poses, 0.0)
    weights = gaussian(all_angles(poses), 30)[3] * (np.arange(30) != 3)
    rng = np.random.default_rng(0)
    expected = np.zeros(30)
    for _ in range(5000):
        expected[rng.choice(30, 6, replace=False, p=weights / weights.sum())] += 1
    drawn = sampler.draw(poses[torch.full((5000,), 3)], 6, seeded())
    times = np.bincount(drawn.flatten().numpy(), minlength=30)
    assert abs(times - expected).max() < 5 * math.sqrt(2 * 5000 / 4)  # sd of a difference of binomials, at most


def two_sides(left: int, right: int, spread: float = 4.0) -> Poses:
    """Images at yaw -25 and +25, more on one side than on the other, and the first at 0."""
    yaw = torch.cat((torch.zeros(1), torch.full((left,), -25.0), torch.full((right,), 25.0)))
    angles = torch.stack((yaw, torch.zeros_like(yaw), torch.zeros_like(yaw)), 1)
    angles[1:] += spread * torch.randn(len(yaw) - 1, 3, generator=seeded())
    numbers = torch.arange(len(yaw))
    return Poses(from_euler(angles), angles, numbers, numbers)


def right_share(sampler: CellSampler, poses: Poses) -> float:
    sampler.fit(poses, 0.0)
    drawn = sampler.draw(poses[torch.zeros(2000, dtype=torch.int64)], 4, seeded())
    return (poses.yaw[drawn] > 0).float().mean().item()


def test_density_correction_evens_out_what_the_data_prefer() -> None:
    poses = two_sides(100, 1000)
    assert right_share(GeodesicGaussian(), poses) == pytest.approx(1000 / 1100, abs=0.02)
    assert right_share(DensityCorrectedGaussian(), poses) == pytest.approx(0.5, abs=0.05)
    assert right_share(InverseDensity(), poses) == pytest.approx(0.5, abs=0.05)


def test_inverse_density_caps_lone_images() -> None:
    poses = two_sides(1, 2000)
    share = 1 - right_share(InverseDensity(cap=10), poses)
    assert 5 / 2000 < share < 15 / 2000


def test_distance_weighted_draws_all_angles_equally_often() -> None:
    """For uniform rotations, from the cutoff on; random references lie mostly far away."""
    torch.manual_seed(0)
    rotations = roma.random_rotmat(30_000)
    numbers = torch.arange(len(rotations))
    poses = Poses(rotations, torch.zeros(len(rotations), 3), numbers, numbers)
    sampler = DistanceWeighted(cutoff=30)
    sampler.fit(poses, 0.0)
    query = poses[torch.arange(500)]
    theta = geodesic_degrees(query.rotations[:, None], rotations[sampler.draw(query, 10, seeded())])
    share = torch.histc(theta[theta > 45], 9, 45, 180)
    assert (share / share.mean() - 1).abs().max() < 0.2


def test_annealing_starts_and_ends_where_it_says() -> None:
    poses = make_poses(400)
    query = poses[torch.arange(50)]

    def drawn(sampler: CellSampler, progress: float) -> torch.Tensor:
        sampler.fit(poses, progress)
        return sampler.draw(query, 8, seeded())

    annealed = AnnealedGaussian(start=60, end=15)
    assert torch.equal(drawn(annealed, 0.0), drawn(GeodesicGaussian(sigma=60), 0.0))
    assert torch.equal(drawn(annealed, 1.0), drawn(GeodesicGaussian(sigma=15), 0.0))
    assert torch.equal(drawn(annealed, 0.5), drawn(GeodesicGaussian(sigma=37.5), 0.0))
    assert torch.equal(drawn(AnnealedGaussian(start=15, end=60), 1.0), drawn(annealed, 0.0))


@pytest.mark.parametrize("k", [1, 4, 10, 39])
def test_stratified_takes_one_of_each_shell(k: int) -> None:
    poses = one_per_cell(40)
    sampler = Stratified()
    sampler.fit(poses, 0.0)
    theta = all_angles(poses)
    np.fill_diagonal(theta, np.inf)
    rank = theta.argsort(1).argsort(1)
    for seed in range(20):
        drawn = sampler.draw(poses, k, seeded(seed)).numpy()
        ranks = np.sort(np.take_along_axis(rank, drawn, 1), 1)
        edges = np.arange(k + 1) * 39 // k
        # an image whose angle is within an eighth of a degree of its neighbour's may change places with it
        inside = (edges[:-1] - 1 <= ranks) & (ranks <= edges[1:])
        assert inside.all()
        assert ((edges[:-1] <= ranks) & (ranks < edges[1:])).mean() > 0.95


def test_stratified_draws_every_image_equally_often() -> None:
    poses = make_poses(301)
    sampler = Stratified()
    sampler.fit(poses, 0.0)
    times = torch.bincount(sampler.draw(poses[torch.zeros(6000, dtype=torch.int64)], 10, seeded()).flatten())
    assert times[0] == 0
    assert stats.chisquare(times[1:].numpy()).pvalue > 1e-3


def test_stratified_spreads_the_references_of_each_input() -> None:
    """Means over K references differ less from input to input than with independent draws."""
    poses = make_poses(4000)
    sampler = Stratified()
    sampler.fit(poses, 0.0)
    query = poses[torch.full((400,), 7)]
    theta = geodesic_degrees(query.rotations[:, None], poses.rotations[sampler.draw(query, 10, seeded())])
    everything = geodesic_degrees(poses.rotations[7], poses.rotations)
    assert theta.mean().item() == pytest.approx(everything.mean().item(), rel=0.03)
    assert theta.mean(1).std() < 0.4 * everything.std() / 10**0.5


def with_identities(poses: Poses, identities: torch.Tensor) -> Poses:
    return Poses(poses.rotations, poses.angles, identities, poses.index)


def test_other_identities_in_the_same_pose() -> None:
    poses = make_poses(2000)
    poses = with_identities(poses, torch.arange(2000) % 3)
    sampler = SamePoseOtherIdentity()
    sampler.fit(poses, 0.0)
    query = poses[torch.arange(300)]
    drawn = sampler.draw(query, 8, seeded())
    assert (poses.identities[drawn] != query.identities[:, None]).all()
    theta = geodesic_degrees(query.rotations[:, None], poses.rotations[drawn])
    assert theta.median() < 20
    plain = GeodesicGaussian(sigma=10)
    plain.fit(poses, 0.0)
    anyone = geodesic_degrees(query.rotations[:, None], poses.rotations[plain.draw(query, 8, seeded())])
    assert theta.mean() < 1.2 * anyone.mean()


def test_other_identities_follow_the_formula() -> None:
    poses = one_per_cell(40)  # eight identities of five images
    sampler = SamePoseOtherIdentity(sigma=25)
    sampler.fit(poses, 0.0)
    identities = poses.identities.numpy()
    expected = gaussian(all_angles(poses), 25)[7] * (identities != identities[7])
    times = np.bincount(sampler.draw(poses[torch.full((DRAWS,), 7)], 1, seeded()).flatten().numpy(), minlength=40)
    assert times[identities == identities[7]].sum() == 0
    likely = expected / expected.sum() * DRAWS >= 5
    share = times[likely].sum() / expected[likely].sum()
    assert stats.chisquare(times[likely], share * expected[likely]).pvalue > 1e-3


def test_with_too_few_other_identities_the_own_one_serves_but_never_the_image_itself() -> None:
    poses = make_poses(40)
    query = poses[torch.arange(40)]
    one_person = with_identities(poses, torch.zeros(40, dtype=torch.int64))
    nearly_one = with_identities(poses, (torch.arange(40) < 3).long())
    for candidates in (one_person, nearly_one):
        sampler = SamePoseOtherIdentity()
        sampler.fit(candidates, 0.0)
        drawn = sampler.draw(with_identities(query, candidates.identities), 5, seeded())
        assert not (drawn == torch.arange(40)[:, None]).any()
        assert (drawn.sort(1).values.diff(dim=1) > 0).all()
    # the three of the other identity have 37 others: they keep to them
    assert (drawn[:3] >= 3).all()


def test_super_fibonacci_rotations_are_even() -> None:
    """They repel each other and cover SO(3), both better than random rotations do."""
    spiral = super_fibonacci(500).float()
    assert torch.allclose(spiral.norm(dim=1), torch.ones(500))
    torch.manual_seed(0)
    probes, random = roma.random_unitquat(4000), roma.random_unitquat(500)

    def angles(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return torch.rad2deg(2 * (first @ second.T).abs().clamp(max=1).acos())

    def apart(anchors: torch.Tensor) -> float:
        return angles(anchors, anchors).fill_diagonal_(180).min().item()

    def gap(anchors: torch.Tensor) -> float:
        return angles(probes, anchors).min(1).values.max().item()

    assert apart(spiral) > 20 > 3 * apart(random)
    assert gap(spiral) < 30 < gap(random)
    share = torch.bincount(angles(probes, spiral).argmin(1), minlength=500)
    assert share.min() > 0


def test_super_fibonacci_draws_from_k_anchors_of_equal_weight() -> None:
    poses = make_poses(3000)
    sampler = SuperFibonacci(anchors=200, least=0.1)
    sampler.fit(poses, 0.0)
    sizes = sampler._groups.sizes
    assert sizes.sum() == 3000
    anchors = len(sizes)
    assert 10 < anchors < 60
    group = torch.empty(3000, dtype=torch.int64)
    group[sampler._groups._order] = torch.repeat_interleave(sizes)
    drawn = group[sampler.draw(poses[torch.arange(3000)], 10, seeded())]
    assert (drawn.sort(1).values.diff(dim=1) > 0).all()  # ten different anchors
    times = torch.bincount(drawn.flatten()).double()
    assert (times / times.mean() - 1).abs().max() < 0.1
    every = group[sampler.draw(poses[torch.arange(50)], anchors + 3, seeded())]
    assert all(set(row) == set(range(anchors)) for row in every.tolist())  # then again from the first on


def test_super_fibonacci_leaves_out_nearly_empty_anchors() -> None:
    poses = two_sides(2, 2000, spread=15.0)
    everything, usual = SuperFibonacci(least=0), SuperFibonacci()
    for sampler in (everything, usual):
        sampler.fit(poses, 0.0)
    assert everything._groups.sizes.min() == 1
    assert usual._groups.sizes.min() > 0.1 * usual._groups.sizes.float().mean()
    assert usual._groups.sizes.sum() == len(poses)
