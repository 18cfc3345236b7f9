"""Names of the data sets and of their parts, and what they are called; importing it loads no data and no PyTorch."""

SETS = ("synth_train", "synth_lab", "synth_wild")  # the rendered sets
TITLES = {"300w_lp": "300W-LP", "aflw2000": "AFLW2000-3D", "biwi": "BIWI"} | {
    name: f"SynthHeads {name.removeprefix('synth_')}" for name in SETS
}
LARGEST_SIZE = 1024  # largest side of an image in pixels; no face in these sets is larger
LARGEST_SET = 1_000_000
"""Most images of a rendered set; at 64 pixels they take 12 GB and a day of rendering on two cores."""
PUBLISHED_IMAGES = {"aflw2000": 1969, "300w_lp": 122415, "biwi": 15678}
"""Images of each real set that published results are about, those beyond ``MAX_ANGLE`` left out."""
MAX_ANGLE = 99.0  # images of real sets with any |angle| above this are left out, as all published results do (degrees)
PARTS = ("fit", "validation")  # parts of a training set that is split so that no test set decides a choice


def split_name(name: str) -> tuple[str, str | None]:
    """Whole set and part that a data set's name means: ``NAME_fit`` is ``NAME`` and ``fit``; None for a whole set."""
    whole, _, part = name.rpartition("_")
    return (whole, part) if part in PARTS else (name, None)


def title(name: str) -> str:
    """What a data set or a part of one is called; the name itself if this version does not know it."""
    whole, part = split_name(name)
    return TITLES.get(whole, whole) + (f", {part} part" if part else "")
