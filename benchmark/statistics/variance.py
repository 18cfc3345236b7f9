"""Where the variance of errors comes from: seeds, persons, their images, or the rest."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

COMPONENTS = ("seed", "person", "image", "residual")


def variance_split(errors: ArrayLike, persons: ArrayLike) -> pd.DataFrame:
    """Split the variance of errors into random effects: seed + person + image within person + residual.

    Method of moments: the mean squares of the crossed analysis of variance (seeds x images, images nested in persons
    of any number of images) are set equal to their expectations (Searle, Casella and McCulloch, Variance Components,
    1992, chapter 4). The residual is what a seed does to a single image; what it does to a person has no component
    of its own.

    Args:
        errors: (seeds, images) in degrees, or differences of errors.
        persons: (images,), a label for the person on each image.

    Returns:
        Index: seed, person, image, residual. ``variance`` in squared degrees, a negative estimate shown as 0;
        ``share`` of their sum. NaN for what cannot be told: all with a single seed, person with a single person, and
        image where each image is of another person (then ``person`` holds both).

    Raises:
        ValueError: if the shapes do not fit or an error is not finite.
    """
    values = np.asarray(errors, float)
    labels, person = np.unique(np.asarray(persons), return_inverse=True)
    if values.ndim != 2 or person.shape != values.shape[1:]:
        raise ValueError(f"errors {values.shape} and persons {person.shape} do not fit together")
    if not np.isfinite(values).all():
        raise ValueError("errors must be finite")
    seeds, images = values.shape
    variance = pd.Series(np.nan, index=pd.Index(COMPONENTS, name="component"))
    if seeds > 1 and images > 1:
        count = np.bincount(person)
        centred = values - values.mean()
        of_seed, of_image = centred.mean(1), centred.mean(0)
        of_person = np.bincount(person, of_image) / count
        seed_square = images * (of_seed**2).sum() / (seeds - 1)
        rest = centred - of_seed[:, None] - of_image
        variance["residual"] = (rest**2).sum() / ((seeds - 1) * (images - 1))
        variance["seed"] = (seed_square - variance["residual"]) / images
        below_person = variance["residual"]
        if len(labels) < images:
            below_person = seeds * ((of_image - of_person[person]) ** 2).sum() / (images - len(labels))
            variance["image"] = (below_person - variance["residual"]) / seeds
        if len(labels) > 1:
            person_square = seeds * (count * of_person**2).sum() / (len(labels) - 1)
            images_each = (images - (count**2).sum() / images) / (len(labels) - 1)
            variance["person"] = (person_square - below_person) / (seeds * images_each)
    variance = variance.clip(lower=0)
    return pd.DataFrame({"variance": variance, "share": variance / variance.sum()})
