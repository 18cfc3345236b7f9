"""What every sampler keeps, and the slides' worked examples (corrected)."""

import math

import pytest
import torch

from mhpe.poses import Poses
from mhpe.rotations import from_euler
from samplers.gaussian import Gaussian
from samplers.reverse_gaussian import ReverseGaussian
from samplers.support.counts import largest_remainder
from samplers.support.registry import Registry
from samplers.uniform import Uniform
from samplers.yaw_bins import YawBins
from tests.conftest import make_poses

ALL = [
    ("random", {}),
    ("bins", {"bin_width": 10}),
    ("bins", {"bin_width": 60}),
    ("gaussian", {"sigma": 15}),
    ("gaussian", {"sigma": 45, "empty_bin": "populated_only"}),
    ("reverse_gaussian", {"sigma": 20}),
    ("reverse_gaussian", {"sigma": 45, "empty_bin": "populated_only"}),
    ("uniform", {}),
    ("uniform", {"order": "shuffled", "empty_bin": "populated_only"}),
    ("geodesic_gaussian", {"sigma": 5}),
    ("density_corrected_gaussian", {}),
    ("near_and_far", {"rho": 0.9}),
    ("stratified", {}),
    ("distance_weighted", {}),
    ("inverse_density", {}),
    ("annealed_gaussian", {}),
    ("same_pose_other_identity", {}),
    ("super_fibonacci", {}),
    ("semi_hard", {}),
    ("distance_weighted_embedding", {}),
    ("dense_neighbours", {}),
]
assert {name for name, _ in ALL} == set(Registry().classes)
every_sampler = pytest.mark.parametrize(("name", "parameters"), ALL)


def fitted(name: str, parameters: dict, poses: Poses):
    sampler = Registry().build(name, parameters, "test")
    sampler.fit(poses, 0.0)
    return sampler


def at_yaw(*yaws: float, index: int = 10**6) -> Poses:
    """Inputs of those yaws that are none of the candidates."""
    angles = torch.tensor([[yaw, 0.0, 0.0] for yaw in yaws])
    numbers = torch.arange(len(yaws)) + index
    return Poses(from_euler(angles), angles, numbers, numbers)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@every_sampler
@pytest.mark.parametrize(("count", "k"), [(500, 1), (500, 10), (500, 40), (12, 10), (3, 10), (1, 4)])
def test_exactly_k_valid_distinct_and_never_itself(name: str, parameters: dict, count: int, k: int) -> None:
    poses = make_poses(count)
    query = poses[torch.arange(0, count, max(1, count // 50))]
    drawn = fitted(name, parameters, poses).draw(query, k, seeded())
    assert drawn.shape == (len(query), k)
    assert drawn.dtype == torch.int64
    assert drawn.min() >= 0
    assert drawn.max() < count
    if count > 1:
        assert not (drawn == query.index[:, None]).any()
    for row in drawn.tolist():
        times = [row.count(position) for position in set(row)]
        # no image more often than the number of images makes necessary
        assert max(times) <= math.ceil(k / max(1, count - 1))


@every_sampler
def test_deterministic_under_its_generator_alone(name: str, parameters: dict, poses: Poses) -> None:
    sampler = fitted(name, parameters, poses)
    torch.manual_seed(0)
    state = torch.random.get_rng_state()
    query = poses[torch.arange(64)]
    first = sampler.draw(query, 8, seeded(1))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(first, sampler.draw(query, 8, seeded(1)))
    assert not torch.equal(first, sampler.draw(query, 8, seeded(2)))
    again = fitted(name, parameters, make_poses(500))
    assert torch.equal(first, again.draw(query, 8, seeded(1)))


@every_sampler
def test_inputs_need_not_be_candidates(name: str, parameters: dict, poses: Poses) -> None:
    """As with a pool: candidates are some of the images, inputs others."""
    sampler = fitted(name, parameters, poses[torch.arange(100, 300)])
    drawn = sampler.draw(poses[torch.arange(90, 110)], 12, seeded())
    assert drawn.max() < 200
    assert not (drawn + 100 == torch.arange(90, 110)[:, None]).any()


def test_bins_are_half_open_and_circular() -> None:
    bins = YawBins(20)
    assert bins.count == 18
    assert bins.of(torch.tensor([-180.0, -160.0, -0.1, 0.0, 19.99, 179.9, 180.0])).tolist() == [0, 1, 8, 9, 9, 17, 0]
    offsets = bins.offsets(torch.tensor([175.0]))
    assert offsets[0, 0].item() == pytest.approx(15)  # -170 is 15 degrees from 175, round the circle
    assert offsets[0, 17].item() == pytest.approx(-5)


def test_slides_gaussian_example_over_all_bins() -> None:
    """mu = 10, sigma = 30, bins of 20: weights 1, .801, .411, .135, .028; K = 10 gives counts that sum to 10."""
    poses = make_poses(4000)
    sampler = fitted("gaussian", {"bin_width": 20, "sigma": 30}, poses)
    weights = sampler.log_weights(at_yaw(10.0), YawBins(20)).exp()[0]
    expected = {10: 1.0, 30: 0.801, -10: 0.801, 50: 0.411, -30: 0.411, 70: 0.135, -50: 0.135, 90: 0.029, -70: 0.029}
    for centre, weight in expected.items():
        assert weights[(centre + 170) // 20].item() == pytest.approx(weight, abs=1e-3)
    counts = sampler.requested_counts(at_yaw(10.0), 10, seeded())[0]
    assert counts.sum() == 10
    # shares 2.66, 2.13, 2.13, 1.09, 1.09, .36, .36, .08, .08: whole parts sum to 8, then the largest rests
    assert [counts[(centre + 170) // 20].item() for centre in (10, 30, -10, 50, -30)] == [3, 2, 2, 1, 1]
    assert counts[(70 + 170) // 20] + counts[(-50 + 170) // 20] == 1


def test_slides_gaussian_example_over_their_five_bins() -> None:
    """Their rounding loses one of ten references; largest remainders do not, and a tie goes to either side."""
    weights = torch.tensor([[-((x - 10) ** 2) / (2 * 30.0**2) for x in (-30, -10, 10, 30, 50)]])
    assert weights.exp()[0, 0].item() == pytest.approx(0.411, abs=1e-3)  # printed as 0.367
    seen = set()
    for seed in range(30):
        counts = largest_remainder(weights, 10, seeded(seed))[0]
        assert counts.sum() == 10
        seen.add(tuple(counts.tolist()))
    # shares 1.20, 2.34, 2.92, 2.34, 1.20
    assert seen == {(1, 3, 3, 2, 1), (1, 2, 3, 3, 1)}


def test_slides_reverse_example() -> None:
    """Printed 1.56 and 5.93 lack the factor 2: exp(20^2 / 1800) = 1.249, exp(40^2 / 1800) = 2.432."""
    sampler = ReverseGaussian(sigma=30)
    weights = sampler.log_weights(at_yaw(10.0), YawBins(20)).exp()[0]
    assert weights[(30 + 170) // 20].item() == pytest.approx(1.249, abs=1e-3)
    assert weights[(50 + 170) // 20].item() == pytest.approx(2.432, abs=1e-3)
    assert math.exp(20**2 / 30**2) == pytest.approx(1.56, abs=1e-2)  # what was printed


def test_reverse_gaussian_lands_where_images_end() -> None:
    """95 % of its weight at sigma 30 is on a bin without images: the empty-bin rule decides."""
    poses = make_poses(4000)
    query = at_yaw(0.0)
    published = fitted("reverse_gaussian", {"sigma": 30}, poses)
    share = torch.softmax(published.log_weights(query, YawBins(20)), 1)[0]
    empty = torch.tensor([not (YawBins(20).of(poses.yaw) == b).any() for b in range(18)])
    assert share[empty].sum() > 0.99
    corrected = fitted("reverse_gaussian", {"sigma": 30, "empty_bin": "populated_only"}, poses)
    assert corrected.requested_counts(query, 10, seeded())[0][empty].sum() == 0
    for sampler in (published, corrected):
        assert poses.yaw[sampler.draw(query, 10, seeded())].abs().min() > 60


def test_extreme_sigmas_do_not_overflow() -> None:
    poses = make_poses(300)
    for name in ("gaussian", "reverse_gaussian"):
        for sigma in (1e-3, 1e6):
            drawn = fitted(name, {"sigma": sigma}, poses).draw(poses, 8, seeded())
            assert drawn.shape == (300, 8)


def test_gaussian_is_nearer_than_random_and_reverse_is_farther() -> None:
    poses = make_poses(4000)
    query = poses[torch.arange(400)]

    def mean_way(name: str, **parameters: float) -> float:
        drawn = fitted(name, parameters, poses).draw(query, 10, seeded())
        return (poses.yaw[drawn] - query.yaw[:, None]).abs().mean().item()

    assert mean_way("bins", bin_width=20) < mean_way("gaussian", sigma=15) < mean_way("gaussian", sigma=30)
    assert mean_way("gaussian", sigma=30) < mean_way("random") < mean_way("reverse_gaussian", sigma=30)


def test_bins_take_neighbours_only_when_their_own_runs_out() -> None:
    angles = torch.tensor([[yaw, 0.0, 0.0] for yaw in (1, 2, 3, 25, 26, 27, 28, -50, -51, 80)])
    numbers = torch.arange(10)
    poses = Poses(from_euler(angles), angles, numbers, numbers)
    sampler = fitted("bins", {"bin_width": 20}, poses)
    for seed in range(10):
        drawn = sampler.draw(at_yaw(5.0), 5, seeded(seed))[0]
        assert set(drawn.tolist()) > {0, 1, 2}  # its own bin first
        assert set(drawn.tolist()) - {0, 1, 2} <= {3, 4, 5, 6}  # then the nearest
    assert set(sampler.draw(at_yaw(5.0), 3, seeded())[0].tolist()) == {0, 1, 2}


def test_uniform_as_published_sees_one_side_of_the_head() -> None:
    """K = 10 of 18 bins in order: yaw [-180, 20), half of them without images."""
    poses = make_poses(4000)
    query = poses[torch.arange(200)]
    published = fitted("uniform", {}, poses)
    counts = published.requested_counts(query, 10, seeded())
    assert (counts == torch.tensor([1] * 10 + [0] * 8)).all()
    assert poses.yaw[published.draw(query, 10, seeded())].max() < 20
    shuffled = fitted("uniform", {"order": "shuffled", "empty_bin": "populated_only"}, poses)
    drawn = poses.yaw[shuffled.draw(query, 10, seeded())]
    assert (drawn > 20).float().mean() > 0.3
    assert (drawn < -20).float().mean() > 0.3
    populated = len(set(YawBins(20).of(poses.yaw).tolist()))
    assert shuffled.requested_counts(query, 2 * populated, seeded()).unique().tolist() == [0, 2]


def test_uniform_repeats_the_bins_in_the_same_order() -> None:
    """The slides' example: five bins, ten references, two from each."""
    poses = make_poses(2000)
    counts = fitted("uniform", {"bin_width": 72}, poses).requested_counts(at_yaw(0.0), 10, seeded())
    assert counts.tolist() == [[2, 2, 2, 2, 2]]
    counts = fitted("uniform", {"bin_width": 72}, poses).requested_counts(at_yaw(0.0), 7, seeded())
    assert counts.tolist() == [[2, 2, 1, 1, 1]]


def test_images_in_a_bin_are_equally_likely() -> None:
    angles = torch.zeros(12, 3)
    numbers = torch.arange(12)
    poses = Poses(from_euler(angles), angles, numbers, numbers)
    sampler = fitted("bins", {}, poses)
    query = poses[torch.zeros(20_000, dtype=torch.int64)]  # image 0, many times
    counts = torch.bincount(sampler.draw(query, 4, seeded()).flatten(), minlength=12).float()
    assert counts[0] == 0
    expected = 20_000 * 4 / 11
    assert (counts[1:] - expected).abs().max() < 5 * expected**0.5


def test_published_and_corrected_are_different_arms_of_one_class() -> None:
    assert Uniform().model_dump() == {"bin_width": 20.0, "empty_bin": "nearest", "order": "first"}
    published = {"bin_width": 20.0, "empty_bin": "nearest", "rounding": "largest_remainder", "sigma": 30.0}
    assert Gaussian(sigma=30).model_dump() == published


@pytest.mark.parametrize("sigma", [1e-300, 1e-20, 1e-3])
@pytest.mark.parametrize("empty_bin", ["nearest", "populated_only"])
def test_a_sigma_that_underflows_draws_from_the_nearest_bin(sigma: float, empty_bin: str) -> None:
    poses = make_poses(400)
    sampler = Gaussian(sigma=sigma, empty_bin=empty_bin)
    sampler.fit(poses, 0.0)
    bins = YawBins(20)
    drawn = sampler.draw(poses, 3, torch.Generator().manual_seed(0))
    full = torch.bincount(bins.of(poses.yaw), minlength=18)[bins.of(poses.yaw)] > 3
    assert full.any()
    assert torch.equal(bins.of(poses.yaw[drawn])[full], bins.of(poses.yaw)[full, None].expand(-1, 3))


@pytest.mark.parametrize("sigma", [5e-324, 1e-300, 1e300])
@pytest.mark.parametrize(
    "name", ["gaussian", "reverse_gaussian", "geodesic_gaussian", "density_corrected_gaussian", "near_and_far"]
)
def test_any_positive_sigma_draws(name: str, sigma: float) -> None:
    sampler = Registry().build(name, {"sigma": sigma}, "test")
    poses = make_poses(60)
    sampler.fit(poses, 0.0)
    drawn = sampler.draw(poses, 4, torch.Generator().manual_seed(0))
    assert drawn.shape == (60, 4)
    assert not (drawn == torch.arange(60)[:, None]).any()
