"""Names of the data sets and of their parts, and what they are called; importing it loads no data and no PyTorch."""

SETS = ("synth_train", "synth_lab", "synth_wild")
"""The rendered sets."""
TITLES = {"300w_lp": "300W-LP", "aflw2000": "AFLW2000-3D", "biwi": "BIWI"} | {
    name: f"SynthHeads {name.removeprefix('synth_')}" for name in SETS
}
"""What each data set is called in tables and messages."""
LARGEST_SIZE = 1024
"""Side of an image in pixels; no face in these sets has as many."""
LARGEST_SET = 1_000_000
"""Images of a rendered set; at 64 pixels they take 12 GB and a day of rendering on two cores."""
PARTS = ("fit", "validation")
"""What a training set is split into where no test set may decide."""


def split_name(name: str) -> tuple[str, str | None]:
    """Whole set and part that a data set's name means: ``NAME_fit`` is ``NAME`` and ``fit``; None for a whole set."""
    whole, _, part = name.rpartition("_")
    return (whole, part) if part in PARTS else (name, None)


def title(name: str) -> str:
    """What a data set or a part of one is called; the name itself for one that this version does not know."""
    whole, part = split_name(name)
    return TITLES.get(whole, whole) + (f", {part} part" if part else "")
