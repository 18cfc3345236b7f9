"""The three sets: train (like 300W-LP), lab (like BIWI) and wild (like AFLW2000-3D).

Their persons are different ones. Angles are the labels' yaw, pitch and roll in degrees.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from mhpe.names import LARGEST_SET, SETS
from mhpe.rotations import from_euler
from mhpe.synthheads import scene
from mhpe.synthheads.head_model import head_model
from mhpe.synthheads.population import Person, draw_person, draw_shot
from mhpe.synthheads.renderer import Scene
from mhpe.synthheads.varied import vary_background, vary_person, vary_shot
from mhpe.validation import Section

SHOTS_PER_PERSON = 4
FRAMES_PER_SEQUENCE = 60
PRETRAINING_SEED = 1000
"""Seed of the persons that the package's network was trained on; every other seed draws other persons."""


class SynthConfig(Section):
    """Sizes and seed of SynthHeads."""

    train: int = Field(16_000, ge=1, le=LARGEST_SET)  # images of the training set, four of a person
    lab: int = Field(1_500, ge=1, le=LARGEST_SET)  # images of the lab set, in sequences of 60 frames of one person
    wild: int = Field(1_500, ge=1, le=LARGEST_SET)  # images of the wild set, each of another person
    seed: int = Field(0, ge=0, le=2**31)  # of everything that is drawn
    appearance: Literal["standard", "varied"] = "standard"  # of train and wild; varied is nearer to photographs

    def count(self, name: str) -> int:
        """Images of the set of that name."""
        return int(getattr(self, name.removeprefix("synth_")))


class SynthSet:
    """The scenes of one of :data:`SETS`, each by its number."""

    def __init__(self, name: str, config: SynthConfig, size: int) -> None:
        self.name, self.config, self.size = name, config, size
        self._seed = (config.seed, SETS.index(name))

    def identity(self, number: int) -> int:
        """Number of the person in image ``number``."""
        shots = {"synth_train": SHOTS_PER_PERSON, "synth_lab": FRAMES_PER_SEQUENCE, "synth_wild": 1}[self.name]
        return number // shots

    def angles(self, number: int) -> NDArray[np.float64]:
        """Yaw, pitch and roll of image ``number``."""
        if self.name == "synth_lab":
            return self._motion(self.identity(number), number % FRAMES_PER_SEQUENCE)
        rng = self._generator(1, number)
        if self.name == "synth_train":
            if rng.random() < 0.75:
                return np.clip(rng.normal(0, (38, 22, 15)), (-95, -65, -60), (95, 65, 60))
            return rng.uniform((-90, -55, -40), (90, 55, 40))
        if rng.random() < 0.7:
            return rng.normal((0, -5, 0), (20, 11, 9))
        return np.clip(rng.normal((0, -5, 0), (55, 26, 32)), (-85, -60, -65), (85, 60, 65))

    def scene(self, number: int) -> Scene:
        """Image ``number`` ready to be rendered."""
        rotation = from_euler(torch.from_numpy(self.angles(number))).numpy()
        return self._lab(number, rotation) if self.name == "synth_lab" else self._photograph(number, rotation)

    def _generator(self, kind: int, number: int) -> np.random.Generator:
        return np.random.default_rng((*self._seed, kind, number))

    def _person(self, identity: int) -> Person:
        return draw_person(self._generator(0, identity), head_model().identities)

    def _photograph(self, number: int, rotation: NDArray[np.float64]) -> Scene:
        person, shot = self._person(self.identity(number)), draw_shot(self._generator(2, number))
        background = scene.background(np.random.default_rng(shot.scene), self.size)
        if self.config.appearance == "varied":
            rng = self._generator(6, number)
            person = vary_person(self._generator(5, self.identity(number)), person)
            shot, background = vary_shot(rng, shot, rotation), vary_background(rng, background)
        return Scene(person, shot, rotation, background)

    def _lab(self, number: int, rotation: NDArray[np.float64]) -> Scene:
        """A frame: light, camera and room of its sequence, its own expression, gaze and noise."""
        sequence = self.identity(number)
        setting, moment = draw_shot(self._generator(2, sequence)), draw_shot(self._generator(3, number))
        shot = replace(
            setting,
            expression={name: 0.5 * value for name, value in moment.expression.items()},
            gaze=moment.gaze,
            scene=moment.scene,
            crop_shift=moment.crop_shift,
            distance=setting.distance / 2 + 5,  # about a metre
            body_share=0.2,
            light_elevation=45.0,
            grey=False,
            occluder=False,
            blur=0.4,
            noise=0.01,
        )
        room = scene.plain_room(self._generator(4, sequence), self.size)
        return Scene(self._person(sequence), shot, rotation, room)

    def _motion(self, sequence: int, frame: int) -> NDArray[np.float64]:
        """Continuous motion: slow sines of random amplitude, as when a person is asked to look everywhere."""
        rng = self._generator(1, sequence)
        amplitude = np.array((45, 32, 14))[:, None] * rng.uniform(0.4, 1, (3, 3)) * (1, 0.5, 0.25)
        cycles = rng.uniform(0.6, 1.6, (3, 3)) * (1, 2, 4)
        phase = rng.uniform(0, 2 * np.pi, (3, 3))
        turned = (amplitude * np.sin(2 * np.pi * cycles * frame / FRAMES_PER_SEQUENCE + phase)).sum(1)
        limit = np.array((75, 60, 50))
        return np.asarray(np.clip(turned, -limit, limit), dtype=np.float64)
