"""One search: a sampler's parameters on one training set."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmark.search.best import label
from benchmark.study.arms import Arm
from benchmark.study.search_space import SearchConfig, SearchedSampler, Space, Value
from benchmark.study.trial import Trial, identity_key
from mhpe.data.split import Split
from samplers.support.registry import Registry


@dataclass(frozen=True)
class Search:
    """A sampler, the parameters to search, and where a point is trained and validated.

    Plain data, ready for another process.

    Attributes:
        study: name of the study.
        preset: name of the preset.
        train_set: name of the training set that is split.
        searched: sampler, parameters, and what the study file says of the search.
        fit: prepared folder of the part to train on.
        fit_fingerprint: of its content.
        validation: prepared folder of the part to validate on.
        validation_fingerprint: of its content.
    """

    study: str
    preset: str
    train_set: str
    searched: SearchedSampler
    fit: Path
    fit_fingerprint: str
    validation: Path
    validation_fingerprint: str

    @classmethod
    def of(cls, study: str, preset: str, searched: SearchedSampler, train_set: str, parts: Split) -> "Search":
        """The search on the parts of a training set."""
        fit, validation = parts.fit, parts.validation
        return cls(
            study, preset, train_set, searched,
            fit.folder, fit.fingerprint, validation.folder, validation.fingerprint,
        )  # fmt: skip

    @property
    def sampler(self) -> str:
        """Name of the sampler."""
        return self.searched.name

    @property
    def space(self) -> Space:
        """The parameters to search."""
        return self.searched.space

    @property
    def config(self) -> SearchConfig:
        """Points, optimizer and objective."""
        return self.searched.config

    @cached_property
    def _registry(self) -> Registry:
        return Registry((self.searched.file,) if self.searched.file else ())

    def arm(self, parameters: Mapping[str, Value]) -> Arm:
        """The arm of a point.

        Raises:
            InputError: if the sampler refuses the values together.
        """
        sampler = self._registry.build(self.sampler, {**self.searched.fixed, **parameters}, self.sampler)
        return Arm(label(self.sampler, parameters), sampler, self.searched.core, self.searched.file)

    def trial(self, parameters: Mapping[str, Value], seed: int) -> Trial:
        """A training of a point, on the part to fit."""
        return Trial(self.arm(parameters), f"{self.train_set}_fit", self.fit_fingerprint, seed)

    @cached_property
    def definition(self) -> dict[str, Any]:
        """Everything that the points and their values depend on; not how many there are."""
        example = {name: values.examples[0] for name, values in self.space.items()}
        trained = self.trial(example, 0).identity
        return {
            "study": self.study,
            "preset": self.preset,
            "space": {name: values.model_dump(mode="json") for name, values in self.space.items()},
            "fixed": dict(self.searched.fixed),
            "search": self.config.model_dump(mode="json", exclude={"samplers", "points", "confirm"}),
            "validation": self.validation_fingerprint,
            "trained": {name: value for name, value in trained.items() if name not in ("parameters", "seed")},
        }

    @cached_property
    def key(self) -> str:
        """Digest of the definition, 20 hexadecimal digits; the name of Optuna's study."""
        return identity_key(self.definition)
