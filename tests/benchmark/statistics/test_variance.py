"""The split of the errors' variance."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.api import stats as models
from statsmodels.formula.api import ols

from benchmark.statistics import variance_split
from tests.benchmark.statistics.simulations import crossed_errors

SD = {"seed": 0.5, "person": 1.0, "both": 0.7, "image": 2.0}


def test_known_components_are_recovered() -> None:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(400):
        images = rng.integers(2, 20, 30)
        errors, persons = crossed_errors(rng, 12, images, SD)
        errors = errors + rng.normal(0, 1.5, errors.shape[1])
        found.append(variance_split(errors, persons)["variance"])
    mean = pd.concat(found, axis=1).mean(axis=1)
    assert mean.to_dict() == pytest.approx(
        {"seed": 0.25, "person": 1.0, "seed_person": 0.49, "image": 2.25, "residual": 4.0}, rel=0.08
    )


def test_mean_squares_are_those_of_statsmodels() -> None:
    rng = np.random.default_rng(2)
    counts = np.array([2, 5, 3, 4])
    errors, persons = crossed_errors(rng, 3, counts, SD)
    rows = pd.DataFrame(errors).melt(ignore_index=False, var_name="image", value_name="error").reset_index(names="seed")
    rows["person"] = persons[rows["image"].astype(int)]
    of_images = models.anova_lm(ols("error ~ C(seed) + C(image)", rows).fit())
    of_persons = models.anova_lm(ols("error ~ C(seed) * C(person)", rows).fit())
    person_square, both_square = of_persons.loc[["C(person)", "C(seed):C(person)"], "mean_sq"]
    within_square = (of_images.loc["C(image)", "sum_sq"] - of_persons.loc["C(person)", "sum_sq"]) / (14 - 4)
    both_sum = of_persons.loc["C(seed):C(person)", "sum_sq"]
    residual = (of_images.loc["Residual", "sum_sq"] - both_sum) / ((3 - 1) * (14 - 4))
    images_each = (14 - (counts**2).sum() / 14) / 3
    both = (both_square - residual) / images_each
    seed_square = of_images.loc["C(seed)", "mean_sq"]
    expected = {
        "seed": (seed_square - residual - both * (counts**2).sum() / 14) / 14,
        "person": (person_square - within_square) / (3 * images_each) - both / 3,
        "seed_person": both,
        "image": (within_square - residual) / 3,
        "residual": residual,
    }
    split = variance_split(errors, persons)["variance"]
    assert split.to_dict() == pytest.approx({name: max(value, 0) for name, value in expected.items()})


def test_shares_of_the_mean_are_of_its_variance() -> None:
    """The mean over seeds and images scatters as the components say, if seeds and persons are drawn anew."""
    rng = np.random.default_rng(4)
    images = np.array([2, 3, 4, 5, 6, 4])
    drawn = [crossed_errors(rng, 4, images, SD) for _ in range(3000)]
    scatter = np.var([errors.mean() for errors, _ in drawn])
    weight = (images**2).sum() / images.sum() ** 2
    parts = [0.25 / 4, weight, 0.49 * weight / 4, 0, 4 / (4 * 24)]
    assert scatter == pytest.approx(sum(parts), rel=0.08)
    shares = variance_split(*drawn[0])["share_of_mean"]
    assert shares.sum() == pytest.approx(1)
    of_one = variance_split(*drawn[0])["variance"]
    expected = of_one * [1 / 4, weight, weight / 4, 1 / 24, 1 / (4 * 24)]
    assert shares.to_list() == pytest.approx((expected / expected.sum()).to_list())


def test_pure_effects() -> None:
    persons = np.repeat([0, 1, 2], 4)
    of_seed = np.array([1.0, 2.0, 4.0])
    split = variance_split(np.tile(of_seed[:, None], 12), persons)
    assert split["variance"].to_list() == pytest.approx([of_seed.var(ddof=1), 0, 0, 0, 0])
    assert split["share"].to_list() == pytest.approx([1, 0, 0, 0, 0])
    of_person = np.array([1.0, 5.0, 3.0])
    split = variance_split(np.tile(of_person[persons], (3, 1)), persons)
    assert split["variance"].to_list() == pytest.approx([0, of_person.var(ddof=1), 0, 0, 0])


def test_a_negative_estimate_is_shown_as_none() -> None:
    alternating = np.tile([1.0, -1.0], 6)  # persons' means are all alike: less than chance would give
    split = variance_split(alternating + np.random.default_rng(0).normal(0, 0.1, (3, 12)), np.repeat([0, 1, 2], 4))
    assert split.loc["person", "variance"] == 0
    assert split["share"].sum() == pytest.approx(1)
    assert split.loc["image", "share"] > 0.9


def test_scale_and_shift() -> None:
    errors, persons = crossed_errors(np.random.default_rng(2), 4, np.array([3, 6, 2, 5]), SD)
    split, scaled = variance_split(errors, persons), variance_split(10 * errors - 7, persons)
    np.testing.assert_allclose(scaled["variance"], 100 * split["variance"])
    np.testing.assert_allclose(scaled["share"], split["share"])


def test_what_cannot_be_told_is_missing() -> None:
    errors = np.random.default_rng(3).normal(size=(4, 10)) + np.arange(10)
    assert variance_split(errors[:1], np.arange(10)).isna().all(axis=None)
    apart = variance_split(errors, np.arange(10))["variance"]
    assert list(apart.index[apart.isna()]) == ["seed_person", "image"]
    together = variance_split(errors, np.zeros(10))["variance"]
    assert list(together.index[together.isna()]) == ["person", "seed_person"]
    assert together["image"] == pytest.approx(apart["person"])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        variance_split(np.zeros((3, 4)), np.zeros(3))
    with pytest.raises(ValueError, match="finite"):
        variance_split(np.full((3, 4), np.nan), np.zeros(4))
