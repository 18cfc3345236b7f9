"""Random parameters of persons and shots.

A person keeps shape, skin, hair and glasses over all shots; a shot has its own pose, expression, gaze,
camera, light and clothes. Every person and every shot has a random generator of its own, so that an image
does not depend on the others that are rendered with it.

The distributions follow what carries over to photographs (measured, see ``docs/data.md``): light from the
front, faces of middle to high brightness, backgrounds of low saturation, eyes mostly open.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float64]  # linear RGB


def _colours(codes: str) -> NDArray[np.float64]:
    """Display values in [0, 1] of hexadecimal colours."""
    return np.array([list(bytes.fromhex(code)) for code in codes.split()]) / 255.0


SKIN_TONES = _colours("f2c7ad e8b594 d19c78 ad7857 80543b 4d3024")
HAIR_COLOURS = _colours("0a0808 1a0f0a 382112 734d29 b88f54 803314 8c8a87 d9d6d1")
IRIS_COLOURS = _colours("6e4b32 3c2d20 7896af 7d9169")
STYLES = ("bald", "buzz", "short", "full", "long", "cap")
STYLE_SHARES = (0.06, 0.13, 0.37, 0.26, 0.14, 0.04)


@dataclass(frozen=True)
class Person:
    """One person."""

    identity: NDArray[np.float32]  # components of the shape in standard deviations
    skin: Colour  # linear RGB
    hair: Colour  # linear RGB
    style: str  # one of :data:`STYLES`
    volume: float  # thickness of the hair, in decimetres
    length: float  # of long hair, in decimetres below the crown
    fringe: float  # height of the fringe above the eyes in decimetres, negative for none
    fringe_slope: float  # its slope
    beard: float  # cover in [0, 1]
    brows: float  # darkness of the brows in [0, 1]
    brow_shape: tuple[float, float, float]  # height above the eyes, half the thickness, arch, in decimetres
    iris: Colour  # linear RGB
    lipstick: float  # in [0, 1]
    glasses: bool  # whether worn
    rim: Colour  # linear RGB of the glasses' rim
    rim_shape: tuple[float, float, float, float]  # radius, thickness, height ratio and squareness of the rims
    pattern: NDArray[np.float64]  # phases and frequencies of the mottling of skin and hair
    stretch: float = 1.0  # of the head's height
    nose: float = 0.0  # how much higher its tip is than MakeHuman's, in decimetres
    lenses: float = 0.0  # darkness of the glasses' lenses in [0, 1]
    locks: NDArray[np.float64] | None = None  # of hair over the face; None in the standard appearance

    @property
    def varied(self) -> bool:
        """Whether :mod:`mhpe.synthheads.varied` has changed the person."""
        return self.locks is not None


@dataclass(frozen=True)
class Shot:
    """One photograph of a person, except for the pose."""

    expression: dict[str, float]  # strength by name
    gaze: tuple[float, float]  # horizontal and vertical degrees
    body_share: float  # share of the head's rotation that the body follows
    distance: float  # of the camera, in decimetres
    crop_scale: float  # of the face square against the protocols' rule
    crop_shift: tuple[float, float]  # right and down, as a share of the side
    light_azimuth: float  # degrees, 0 from the viewer, positive from the image's right
    light_elevation: float  # degrees
    light_colour: Colour  # linear RGB
    ambient: Colour  # linear RGB
    ambient_gradient: NDArray[np.float64]  # (9, 3) spherical harmonics of the surroundings
    gloss: tuple[float, float]  # strength and exponent of the highlights
    brightness: float  # mean linear brightness of the head
    saturation: float  # factor
    grey: bool  # whether the photograph is grey
    blur: float  # sigma in 1/64 of the side
    noise: float  # standard deviation in [0, 1]
    clothes: Colour  # linear RGB
    eyelid_line: float  # darkness in [0, 1]
    socket_shade: float  # darkness in [0, 1]
    occluder: bool  # whether something covers a part of the face
    scene: int  # seed of background and occluder
    teeth: float = 0.0  # how much of them shows, in [0, 1]


def linear(srgb: NDArray[np.float64]) -> Colour:
    """Linear RGB of display values in [0, 1]."""
    return np.asarray(np.power(np.clip(srgb, 0, 1), 2.2))


def draw_person(rng: np.random.Generator, components: int) -> Person:
    """A random person with ``components`` shape components."""
    tone = rng.beta(1, 1.5) * (len(SKIN_TONES) - 1)
    low = min(int(tone), len(SKIN_TONES) - 2)
    skin = linear(SKIN_TONES[low] * (1 - tone + low) + SKIN_TONES[low + 1] * (tone - low)) * (
        1 + rng.normal(0, 0.04, 3)
    )
    dark_haired = [0, 0, 0, 1, 6]
    hair = HAIR_COLOURS[rng.integers(len(HAIR_COLOURS)) if tone < 2 else rng.choice(dark_haired)]
    style = str(rng.choice(STYLES, p=STYLE_SHARES))
    return Person(
        identity=(np.clip(rng.normal(0, 0.85, components), -1.8, 1.8) * rng.uniform(0.7, 1.25)).astype(np.float32),
        skin=skin,
        hair=linear(hair) * rng.uniform(0.7, 1.3),
        style=style,
        volume=rng.uniform(0.06, 0.2) if style == "short" else rng.uniform(0.15, 0.35),
        length=rng.uniform(1.1, 2.8),
        fringe=rng.uniform(0.22, 0.75) if style in ("short", "full", "long") and rng.random() < 0.45 else -1.0,
        fringe_slope=rng.normal(0, 0.35),
        beard=float(rng.choice([0, 0, 0, 0, 0.3, 0.6, 0.95])) if style != "long" else 0.0,
        brows=rng.uniform(0.5, 1),
        brow_shape=(rng.uniform(0.12, 0.2), rng.uniform(0.025, 0.055), rng.uniform(0.0, 0.08)),
        iris=linear(IRIS_COLOURS[rng.integers(len(IRIS_COLOURS))]) * rng.uniform(0.3, 0.8),
        lipstick=rng.uniform(0, 1) if style == "long" else 0.0,
        glasses=bool(rng.random() < 0.2),
        rim=linear(rng.uniform(0.04, 0.35, 3) if rng.random() < 0.75 else rng.uniform(0, 1, 3)),
        rim_shape=(rng.uniform(0.23, 0.3), rng.uniform(0.02, 0.05), rng.uniform(0.7, 1), rng.uniform(0.55, 1)),
        pattern=np.column_stack((rng.uniform(0, 6.28, 6), rng.uniform(3, 7, (6, 3)))),
    )


def draw_shot(rng: np.random.Generator) -> Shot:
    """A random photograph."""
    warm, around = rng.uniform(-1, 1, 2)
    gradient = rng.normal(0, 1, (9, 3)) * np.array([0, 0.25, 0.35, 0.25, 0.12, 0.12, 0.12, 0.12, 0.12])[:, None] * 0.6
    grey_part = gradient.mean(1, keepdims=True)
    return Shot(
        expression=_draw_expression(rng),
        gaze=(float(np.clip(rng.normal(0, 14), -28, 28)), float(np.clip(rng.normal(0, 8), -15, 15))),
        body_share=rng.uniform(0.2, 0.9),
        distance=rng.uniform(6, 22),
        crop_scale=float(np.exp(rng.normal(0, 0.05))),
        crop_shift=(rng.normal(0, 0.02), rng.normal(0, 0.02)),
        light_azimuth=float(np.clip(rng.normal(0, 50), -110, 110)),
        light_elevation=rng.uniform(-10, 65),
        light_colour=np.array([1 + 0.18 * warm, 1, 1 - 0.22 * warm]) * rng.uniform(0.35, 1.4),
        ambient=np.array([1 + 0.15 * around, 1, 1 - 0.2 * around]) * rng.uniform(0.2, 1.2),
        ambient_gradient=grey_part + 0.35 * (gradient - grey_part),
        gloss=(rng.uniform(0.01, 0.3), rng.uniform(8, 40)),
        brightness=rng.uniform(0.38, 0.85) ** 2.2,
        saturation=rng.uniform(0.5, 1.2),
        grey=bool(rng.random() < 0.08),
        blur=float(rng.choice([0, 0, 0.4, 0.8])),
        noise=float(rng.choice([0, 0.005, 0.01, 0.02])),
        clothes=linear(np.clip(rng.uniform(0, 0.9) + 0.15 * rng.normal(0, 1, 3), 0.02, 0.95)),
        eyelid_line=rng.uniform(0.4, 1),
        socket_shade=rng.uniform(0, 0.7),
        occluder=bool(rng.random() < 0.12),
        scene=int(rng.integers(1 << 31)),
    )


def _draw_expression(rng: np.random.Generator) -> dict[str, float]:
    blink = rng.uniform(0.8, 1) if rng.random() < 0.05 else rng.uniform(0, 0.2)
    expression = {"eyeBlinkLeft": blink, "eyeBlinkRight": float(np.clip(blink + rng.normal(0, 0.04), 0, 1))}
    if rng.random() < 0.35:
        expression["jawOpen"] = rng.uniform(0.03, 0.45)
    mouth, strength = rng.random(), rng.uniform(0.2, 0.9)
    other = float(np.clip(strength + rng.normal(0, 0.1), 0, 1))
    if mouth < 0.4:
        expression |= {"mouthSmileLeft": strength, "mouthSmileRight": other, "cheekPuff": 0.0}
    elif mouth < 0.5:
        expression |= {"mouthFrownLeft": strength, "mouthFrownRight": strength}
    elif mouth < 0.6:
        expression["mouthPucker"] = strength
    brow, strength = rng.random(), rng.uniform(0.1, 0.9)
    if brow < 0.25:
        expression["browInnerUp"] = strength
    elif brow < 0.5:
        expression |= {"browDownLeft": strength, "browDownRight": strength}
    return expression
