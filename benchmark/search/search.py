"""A search: a sampler's parameters on one training set; and the trials that confirm it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from benchmark.search.points import DIGITS, Point, best_points
from benchmark.study.arms import Arm
from benchmark.study.grid import DataProvider, Plan, make_plan
from benchmark.study.names import label_of
from benchmark.study.protocols import Protocol, validation_protocol
from benchmark.study.search_space import SearchConfig, SearchedSampler, Value
from benchmark.study.study import Study
from benchmark.study.trial import Trial, identity_key
from mhpe.data.split import Split


@dataclass(frozen=True)
class Search:
    """A sampler, the parameters to search, and the data that a point is trained and validated on."""

    study: str
    preset: str
    searched: SearchedSampler  # sampler, parameters, and what the study file says of the search
    train_set: str  # name of the training set that is split
    parts: Split  # the part to fit and the part to validate on

    @property
    def config(self) -> SearchConfig:
        """Points, optimizer and objective."""
        return self.searched.config

    def arm(self, parameters: Mapping[str, Value]) -> Arm:
        """The arm of a point; an InputError if the sampler refuses this combination of values."""
        searched = self.searched
        sampler = searched.registry.build(searched.name, {**searched.fixed, **parameters}, searched.name)
        file = searched.registry.files.get(searched.name)
        return Arm(label_of(searched.name, parameters, DIGITS), sampler, searched.core, file)

    def trial(self, parameters: Mapping[str, Value], seed: int) -> Trial:
        """A training of a point, on the part to fit."""
        return Trial(self.arm(parameters), f"{self.train_set}_fit", self.parts.fit.fingerprint, seed)

    @cached_property
    def definition(self) -> dict[str, Any]:
        """Everything that the points and their values depend on, but not the number of points."""
        example = {name: values.examples[0] for name, values in self.searched.space.items()}
        trained = self.trial(example, 0).identity
        return {
            "study": self.study,
            "preset": self.preset,
            "train_set": self.train_set,
            **self.searched.settings,
            "validation": self.parts.validation.fingerprint,
            "trained": {name: value for name, value in trained.items() if name not in ("parameters", "seed")},
        }

    @cached_property
    def key(self) -> str:
        """Digest of the definition, 20 hexadecimal digits; the name of Optuna's study."""
        return identity_key(self.definition)


def searches_of(study: Study, parts: Callable[[str, int], Split]) -> list[Search]:
    """One search for each training set of a study, split as ``parts`` says, and each of its samplers to search."""
    return [
        Search(study.name, study.preset, searched, train_set, parts(train_set, searched.core.image_size))
        for train_set in dict.fromkeys(protocol.train for protocol in study.protocols)
        for searched in study.searched
    ]


def confirmation(
    study: Study,
    searches: Sequence[Search],
    points: Mapping[str, Sequence[Point]],
    seeds: int | None,
    data: DataProvider,
) -> Plan:
    """The study's arms and the best points of its searches, by key of their search, on fresh seeds.

    They are trained on the full training set and tested by the study's protocols, which shows their effect, and trained
    and tested once more on the parts that the search used, which shows the selection bias of the best.
    """
    config = searches[0].config
    grid: dict[Protocol, tuple[Arm, ...]] = {}
    for train_set in dict.fromkeys(search.train_set for search in searches):
        found = [
            replace(search.arm(point.parameters), label=label)
            for search in searches
            if search.train_set == train_set
            for label, point in best_points(
                points.get(search.key, ()), search.searched.name, config.confirm.best
            ).items()
        ]
        protocols = [protocol for protocol in study.protocols if protocol.train == train_set]
        grid |= dict.fromkeys((*protocols, validation_protocol(train_set)), (*study.arms, *found))
    return make_plan(study, grid, seeds or config.confirm.seeds, data, config.seeds)
