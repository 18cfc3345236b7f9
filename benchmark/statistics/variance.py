"""Where the variance of errors comes from: seeds, persons, both together, single images, or the rest."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

COMPONENTS = ("seed", "person", "seed_person", "image", "residual")


def variance_split(errors: ArrayLike, persons: ArrayLike) -> pd.DataFrame:
    """Split the variance of errors into random effects: seed + person + seed x person + image within person + residual.

    Method of moments: the mean squares of the crossed analysis of variance (seeds x images, images nested in persons
    of any number of images) are set equal to their expectations (Searle, Casella and McCulloch, Variance Components,
    1992, chapter 4). The residual is what a seed does to a single image, beyond what it does to its person.

    Args:
        errors: (seeds, images) in degrees, or differences of errors.
        persons: (images,), a label for the person on each image.

    Returns:
        Index: seed, person, seed_person, image, residual. ``variance`` of a single image's value in squared degrees,
        a negative estimate shown as 0; ``share`` of their sum; ``share_of_mean``: of the variance of the mean over
        all these seeds and images, for which new seeds and new persons are drawn, to which a component contributes
        the less, the more seeds, persons or images it is averaged over. NaN for what cannot be told: all with a single
        seed, what has person in its name with a single person, and image and seed_person where each image is of
        another person (then ``person`` holds the image and ``residual`` the rest).

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
    count = np.bincount(person)
    variance = pd.Series(np.nan, index=pd.Index(COMPONENTS, name="component"))
    if seeds > 1 and images > 1:
        _estimate(variance, values, person, count, several_persons=len(labels) > 1)
    variance = variance.clip(lower=0)
    squares = (count**2).sum() / images**2  # 1 / persons, if all have as many images
    averaged = pd.Series([1 / seeds, squares, squares / seeds, 1 / images, 1 / (seeds * images)], variance.index)
    of_mean = variance * averaged
    return pd.DataFrame(
        {"variance": variance, "share": variance / variance.sum(), "share_of_mean": of_mean / of_mean.sum()}
    )


def _estimate(
    variance: "pd.Series[float]",
    values: np.ndarray,
    person: np.ndarray,
    count: np.ndarray,
    several_persons: bool,
) -> None:
    """Fill in the components that can be told."""
    seeds, images = values.shape
    persons = len(count)
    nested = persons < images  # some person has several images
    centred = values - values.mean()
    of_seed, of_image = centred.mean(1), centred.mean(0)
    of_person = np.bincount(person, of_image) / count
    rest = centred - of_seed[:, None] - of_image  # seed x image, each row and column of mean 0
    by_person = np.array([np.bincount(person, row) for row in rest]) / count
    each = (images - (count**2).sum() / images) / max(persons - 1, 1)  # images of a person, so to say
    both_square = (count * by_person**2).sum() / ((seeds - 1) * max(persons - 1, 1))
    if nested:
        variance["residual"] = ((rest - by_person[:, person]) ** 2).sum() / ((seeds - 1) * (images - persons))
        image_square = seeds * ((of_image - of_person[person]) ** 2).sum() / (images - persons)
        variance["image"] = (image_square - variance["residual"]) / seeds
    else:
        variance["residual"] = both_square
        image_square = both_square
    both = 0.0
    if several_persons:
        if nested:
            both = variance["seed_person"] = (both_square - variance["residual"]) / each
        person_square = seeds * (count * of_person**2).sum() / (persons - 1)
        variance["person"] = (person_square - image_square) / (seeds * each) - both / seeds
    seed_square = images * (of_seed**2).sum() / (seeds - 1)
    variance["seed"] = (seed_square - variance["residual"] - both * (count**2).sum() / images) / images
