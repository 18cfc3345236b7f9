"""An epoch's draws."""

import pytest
import torch
from torch import Tensor

from mhpe.config import CoreConfig
from mhpe.poses import Poses
from mhpe.train.references import EpochDraws, batches_per_epoch
from samplers.random import Random
from tests.conftest import make_poses

CORE = CoreConfig(k=4, batch_size=16, epochs=4)


def test_an_epoch_shows_every_image_once_but_for_the_rest() -> None:
    draws = EpochDraws(CORE, Random(), make_poses(100), 0, 0)
    batches = list(draws)
    assert len(batches) == draws.batches == batches_per_epoch(CORE, 100) == 6
    inputs = torch.cat([inputs for inputs, _ in batches])
    assert len(inputs.unique()) == len(inputs) == 96
    for inputs, drawn in batches:
        assert drawn.shape == (16, 4)
        assert not (drawn == inputs[:, None]).any()


def test_a_set_smaller_than_a_batch_is_one_batch() -> None:
    ((inputs, drawn),) = EpochDraws(CORE, Random(), make_poses(10), 0, 0)
    assert len(inputs) == len(drawn) == 10


def test_a_pool_bounds_what_a_batch_can_get() -> None:
    core = CORE.model_copy(update={"references": "pool", "pool_size": 12})
    for _, drawn in EpochDraws(core, Random(), make_poses(200), 0, 0):
        assert len(drawn.unique()) <= 12


@pytest.mark.parametrize(("k", "dtype"), [(3, torch.int64), (5, torch.int64), (4, torch.int32)])
@pytest.mark.parametrize("references", ["exact", "pool"])
def test_a_sampler_that_draws_something_else_is_refused(k: int, dtype: torch.dtype, references: str) -> None:
    class Other(Random):
        def draw(self, query: Poses, wanted: int, generator: torch.Generator) -> Tensor:
            return super().draw(query, k, generator).to(dtype)

    with pytest.raises(ValueError, match=r"the sampler drew .*, not \(16, 4\) and torch.int64"):
        list(EpochDraws(CORE.model_copy(update={"references": references}), Other(), make_poses(100), 0, 0))
