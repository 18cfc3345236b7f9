"""The checks of the contract, one function each; its docstring is the rule."""

import json
import time
from collections.abc import Callable
from typing import TypeVar

import torch

from samplers.base import Sampler
from samplers.contract.tools import (
    MEMORY_GIB,
    demand,
    demand_right,
    draw,
    fitted,
    fresh,
    global_random_state,
    memory_limit,
    poses_at_yaw,
    restored_random_state,
    seed_global_random_state,
    seeded,
    synthetic_poses,
    wrong_result,
)
from samplers.support.recorder import out_of_range, own_references
from samplers.support.source_digest import not_followed, source_digest
from samplers.yaw_bins import YawBinSampler

HUGE = 122_450  # images in 300W-LP
FIT_SECONDS, DRAW_SECONDS = 60.0, 10.0
"""Longest fit and draw for HUGE images: far more than a built-in sampler needs on a slow and busy machine."""

Result = TypeVar("Result")
Check = Callable[[Sampler], str | None]
"""Raises AssertionError, or whatever the sampler raises, if the contract is broken; may return a remark."""


def draws_exactly_k(sampler: Sampler) -> None:
    """Exactly K references for each input."""
    poses = synthetic_poses(300)
    for inputs, k in ((1, 1), (64, 10), (300, 40)):
        shape = tuple(draw(sampler, poses, poses[torch.arange(inputs)], k).shape)
        demand(shape == (inputs, k), f"draws of {k} for {inputs} inputs have shape {shape}, not {(inputs, k)}")


def draws_int64(sampler: Sampler) -> None:
    """Positions are int64."""
    poses = synthetic_poses(300)
    dtype = draw(sampler, poses, poses, 10).dtype
    demand(dtype == torch.int64, f"they are {dtype}")


def draws_candidates(sampler: Sampler) -> None:
    """Positions are those of candidates, 0 to N - 1."""
    poses = synthetic_poses(300)
    wrong = out_of_range(draw(sampler, poses, poses, 10), poses)
    demand(not wrong, wrong)


def never_draws_the_input(sampler: Sampler) -> None:
    """Never the input itself while there are other images."""
    for count in (300, 12):
        poses = synthetic_poses(count)
        wrong = own_references(draw(sampler, poses, poses, 10), poses, poses)
        demand(not wrong, wrong)


def repeats_its_draws(sampler: Sampler) -> None:
    """The same draws under the same generator, from this object and from another one."""
    poses = synthetic_poses(300)
    drawer = fitted(sampler, poses)
    first = drawer.draw(poses, 10, seeded(1))
    demand(torch.equal(first, drawer.draw(poses, 10, seeded(1))), "the second draw differs from the first")
    demand(torch.equal(first, draw(sampler, poses, poses, 10, 1)), "another object with these parameters differs")


def draws_differ(sampler: Sampler) -> str | None:
    """Other draws under another generator, unless it uses none."""
    poses = synthetic_poses(300)
    drawer, generator = fitted(sampler, poses), seeded(1)
    before = generator.get_state()
    first = drawer.draw(poses, 10, generator)
    if torch.equal(before, generator.get_state()):
        return "it takes no random number from the generator"
    same = all(torch.equal(first, drawer.draw(poses, 10, seeded(seed))) for seed in (2, 3, 4))
    demand(not same, "it takes random numbers, but draws the same whatever they are")
    return None


def leaves_global_randomness(sampler: Sampler) -> None:
    """No use of the global random state of torch, numpy or random."""
    poses = synthetic_poses(300)
    draws = []
    for seed in (1, 2):
        with restored_random_state():
            seed_global_random_state(seed)
            before = global_random_state()
            draws.append(draw(sampler, poses, poses, 10))
            changed = [name for name, state in global_random_state().items() if state != before[name]]
        demand(not changed, f"it uses the global state of {' and '.join(changed)}, not its generator")
    demand(torch.equal(*draws), "its draws depend on the global random state")


def leaves_its_inputs(sampler: Sampler) -> None:
    """Candidates and inputs stay as they are."""
    poses, query = synthetic_poses(300), synthetic_poses(64, seed=1)
    draw(sampler, poses, query, 10)
    untouched_ones = {"candidates": (poses, synthetic_poses(300)), "inputs": (query, synthetic_poses(64, seed=1))}
    for what, (given, untouched) in untouched_ones.items():
        for name, value in vars(untouched).items():
            demand(torch.equal(getattr(given, name), value), f"it changes the {name} of the {what}")


def copes_with_empty_bins(sampler: Sampler) -> None:
    """Candidates in a few places, or all in one; inputs anywhere."""
    query = poses_at_yaw(torch.arange(-180.0, 180.0, 7.5), first=1000)
    for places in ((-60.0, 80.0, 82.0), (5.0,)):
        poses = poses_at_yaw(torch.tensor(places).repeat(10), first=0)
        for inputs in (query, poses):
            demand_right(draw(sampler, poses, inputs, 10), poses, inputs, 10)


def copes_with_few_images(sampler: Sampler) -> None:
    """K references even of fewer images."""
    poses = synthetic_poses(5)
    demand_right(draw(sampler, poses, poses, 12), poses, poses, 12)


def copes_with_one_or_two_images(sampler: Sampler) -> None:
    """A training set of one image, or of two."""
    for count in (1, 2):
        poses = synthetic_poses(count)
        demand_right(draw(sampler, poses, poses, 4), poses, poses, 4)


def follows_the_training(sampler: Sampler) -> None:
    """A fit, with progress from 0 to 1, forgets earlier ones: each epoch has other candidates."""
    drawer = fitted(sampler, synthetic_poses(2))
    for epoch, progress in enumerate((0.0, 0.25, 0.5, 0.75, 0.999)):
        poses = synthetic_poses(300 - 60 * epoch, seed=epoch)
        drawer.fit(poses, progress)
        drawn = drawer.draw(poses, 10, seeded(0))
        demand_right(drawn, poses, poses, 10)
        same = torch.equal(drawn, fitted(sampler, poses, progress).draw(poses, 10, seeded(0)))
        demand(same, "a sampler that was fitted before draws otherwise than one that was not")


def weighs_all_bins(sampler: Sampler) -> None:
    """A sampler of yaw bins has a log-weight for each input and bin, and one above -inf for each input."""
    if isinstance(sampler, YawBinSampler):
        wrong = wrong_result(sampler)
        demand(not wrong, wrong)


def keeps_what_it_learns(sampler: Sampler) -> None:
    """A sampler with ``observe`` draws the same after its state went into another object."""
    if not hasattr(sampler, "observe"):
        return
    poses, drawer = synthetic_poses(300), fitted(sampler, synthetic_poses(300))
    for seed in range(5):
        inputs = torch.randperm(300, generator=seeded(seed))[:64]
        drawn = drawer.draw(poses[inputs], 10, seeded(seed))
        images = torch.unique(torch.cat((inputs, drawn.flatten())))
        embeddings = torch.nn.functional.normalize(torch.randn(len(images), 24, generator=seeded(seed)), dim=1) * 3**0.5
        numbers = torch.rand(2, 64, 10, generator=seeded(seed))
        drawer.observe(poses[inputs], drawn, *numbers, poses[images], embeddings)  # type: ignore[attr-defined]
    drawn = drawer.draw(poses, 10, seeded(0))
    demand_right(drawn, poses, poses, 10)
    state = drawer.state()
    demand(all(isinstance(value, torch.Tensor) for value in state.values()), "its state holds more than tensors")
    other = fresh(sampler)
    if state:
        other.load_state({name: value.clone() for name, value in state.items()})
    other.fit(poses, 0.0)
    demand(torch.equal(drawn, other.draw(poses, 10, seeded(0))), "with its state, another object draws otherwise")


def draws_from_a_pool(sampler: Sampler) -> None:
    """Fitted to a pool: draws are positions in the pool, inputs need not be in it."""
    poses = synthetic_poses(300)
    pool, query = poses[torch.arange(299, 199, -3)], poses[torch.arange(250)]
    demand_right(draw(sampler, pool, query, 10), pool, query, 10)


def has_an_identity(sampler: Sampler) -> str | None:
    """Source and parameters can be written down, for the key of its results."""
    source_digest(type(sampler))
    again = type(sampler).model_validate(json.loads(json.dumps(sampler.model_dump(mode="json"))))
    demand(again.model_dump() == sampler.model_dump(), "its parameters do not come back from JSON as they were")
    modules = not_followed(type(sampler))
    return f"changes in {', '.join(modules)} will not retrain it" if modules else None


def copes_with_a_huge_set(sampler: Sampler) -> str:
    """122,450 images in bounded time and memory."""
    poses = synthetic_poses(HUGE)
    query = poses[torch.arange(100)]
    drawer = fresh(sampler)
    try:
        with memory_limit():
            fitting, _ = _seconds(lambda: drawer.fit(poses, 0.0))
            drawing, drawn = _seconds(lambda: drawer.draw(query, 10, seeded(0)))
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or "allocate" in str(error):
            raise AssertionError(f"it needs more than {MEMORY_GIB} GiB of memory") from error
        raise
    demand_right(drawn, poses, query, 10)
    took = (
        f"{fitting:.3f} s to fit (limit {FIT_SECONDS:g} s), "
        f"{drawing:.4f} s to draw 10 references of 100 inputs (limit {DRAW_SECONDS:g} s)"
    )
    demand(fitting <= FIT_SECONDS and drawing <= DRAW_SECONDS, took)
    return took


def _seconds(work: Callable[[], Result]) -> tuple[float, Result]:
    """Duration of some work, without the time that a busy machine gives to others, and its result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return min(time.perf_counter() - wall, time.process_time() - cpu), result


CHECKS: tuple[Check, ...] = (
    draws_exactly_k, draws_int64, draws_candidates, never_draws_the_input, repeats_its_draws, draws_differ,
    leaves_global_randomness, leaves_its_inputs, copes_with_empty_bins, copes_with_few_images,
    copes_with_one_or_two_images, follows_the_training, weighs_all_bins, keeps_what_it_learns, draws_from_a_pool,
    has_an_identity, copes_with_a_huge_set,
)  # fmt: skip
"""All checks; each takes an unfitted sampler."""
