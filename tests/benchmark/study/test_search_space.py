"""The search section of a study file: one clear line for every mistake."""

import re
from pathlib import Path

import pytest

from benchmark.study.study import load_study
from mhpe.errors import InputError
from samplers.support.registry import Registry
from tests.benchmark.conftest import TINY, Bench

SEARCH = """
search:
  samplers:
    gaussian:
      sigma: {low: 5, high: 90, log: true}
      bin_width: {choices: [10, 20]}
  points: 4
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("points: 4", "optimizer: tpee"), "optimizer: must be 'tpe', 'gp', 'random' or 'grid'"),
        (("points: 4", "pruner: median"), "unknown key 'search.pruner'"),  # which earlier versions had
        (("points: 4", "point: 4"), "unknown key 'search.point'; did you mean 'points'?"),
        (("points: 4", "points: 0"), "search.points: must be greater than or equal to 1, not 0"),
        (("points: 4", "validation_share: 1"), "search.validation_share: must be less than 1, not 1"),
        (("low: 5", "low: 95"), "search: gaussian: sigma: low must be below high, not 95 and 90"),
        (("low: 5", "low: 0"), "search: gaussian: sigma: low must be above 0 where log is true, not 0"),
        (("low: 5", "lo: 5"), "search: gaussian: sigma: unknown key 'lo'; did you mean 'low'?"),
        (("log: true", "logg: true"), "search: gaussian: sigma: unknown key 'logg'; did you mean 'log'?"),
        (("[10, 20]", "[]"), "search: gaussian: bin_width: choices: list should have at least 1 item"),
        (("[10, 20]", "[10, 10]"), "search: gaussian: bin_width: choices must be different from each other"),
        (("[10, 20]", "[10, 7]"), "search: gaussian: bin_width: a bin width must divide 360, not 7"),
        (
            ("choices: [10, 20]", "low: 5, high: 90"),
            "gaussian: bin_width: a bin width must divide 360, not 47.5",
        ),
        (("sigma: {", "sigme: {"), "search: gaussian: the sampler has no parameter 'sigme'; did you mean 'sigma'?"),
        (("    gaussian:", "    gausian:"), "search: no sampler 'gausian'; did you mean 'gaussian'?"),
        (
            ("points: 4", "points: 4\n  optimizer: grid"),
            "gaussian: sigma: grid needs choices, not low and high",
        ),
    ],
)
def test_mistakes_are_explained(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    assert change[0] in SEARCH
    path = tmp_path / "study.yaml"
    path.write_text(TINY + SEARCH.replace(*change))
    with pytest.raises(InputError, match=re.escape(message)) as error:
        load_study(str(path), "standard")
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("entries", "settings", "message"),
    [
        (
            "bin_width: {choices: [10, 20]}, sigma: {choices: [30]}",
            "optimizer: grid",
            "its grid has 2 points, fewer",
        ),
        ("sigma: 30", "points: 4", "no parameter has a range, such as {low: 5, high: 90} or {choices: [5, 10]}"),
    ],
)
def test_spaces_that_cannot_be_searched(tmp_path: Path, entries: str, settings: str, message: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(f"{TINY}search: {{samplers: {{gaussian: {{{entries}}}}}, {settings}}}\n")
    with pytest.raises(InputError, match=re.escape(message)):
        load_study(str(path), "standard")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--arm", "random"), "--arm: a study that searches runs the arms it finds beside its own; leave --arm out"),
    ],
)
def test_options_that_do_not_fit(bench: Bench, words: tuple[str, ...], message: str) -> None:
    result = bench("run", "--study", "sigma_bin_search", *words)
    assert result.status == 2
    assert result.err.startswith(f"bench: {message}")
    assert result.err.count("\n") == 1


def test_shipped_searches_have_equal_budgets_and_the_cards_ranges() -> None:
    (gaussian,) = load_study("sigma_bin_search", "quick").searched
    sigma, widths = gaussian.space["sigma"], gaussian.space["bin_width"]
    assert (sigma.low, sigma.high, sigma.log) == (5, 90, True)
    assert widths.choices == (5, 10, 15, 20, 30, 40, 45, 60, 72, 90)
    every = load_study("search_all", "quick").searched
    assert len({searched.config.points for searched in every}) == 1
    numeric = {
        name
        for name, cls in Registry().classes.items()
        if any(field.annotation in (int, float) for field in cls.model_fields.values())
    }
    assert {searched.name for searched in every} == numeric
