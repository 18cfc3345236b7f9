"""One search: a sampler's parameters on one training set."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from benchmark.study.arms import Arm
from benchmark.study.search_space import SearchConfig, SearchedSampler, Value
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
    def sampler(self) -> str:
        """Name of the sampler."""
        return self.searched.name

    @property
    def config(self) -> SearchConfig:
        """Points, optimizer and objective."""
        return self.searched.config

    def arm(self, parameters: Mapping[str, Value]) -> Arm:
        """The arm of a point.

        Raises:
            InputError: if the sampler refuses this combination of values.
        """
        registry = self.searched.registry
        sampler = registry.build(self.sampler, {**self.searched.fixed, **parameters}, self.sampler)
        return Arm(label(self.sampler, parameters), sampler, self.searched.core, registry.file_of(self.sampler))

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


def label(sampler: str, parameters: Mapping[str, Any]) -> str:
    """Name of a point: its sampler and its parameters, to four digits."""
    inner = (
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in parameters.items()
    )
    return f"{sampler}({', '.join(inner)})"
