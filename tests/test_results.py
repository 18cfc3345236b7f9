"""Numbers of the results' pages are those of the committed tables."""

import re
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

import benchmark as bench

RESULTS = Path(__file__).parents[1] / "results"


def numbers(text: str) -> list[float]:
    """The numbers with two decimals in a text."""
    return [float(number.replace("−", "-")) for number in re.findall(r"[+−]?\d+\.\d\d", text)]


@pytest.mark.parametrize(
    ("title", "labels"), [("bins of 20", ("bins",)), ("Gaussian, sigma 30", ("gaussian", "gaussian 30"))]
)
def test_the_batches_of_seeds_are_those_of_their_tables(title: str, labels: tuple[str, ...]) -> None:
    text = (RESULTS / "confirmation/README.md").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^\| {title} \|(.*)\|$", text, re.MULTILINE)
    expected = []
    for name, first in (("quick/conclusion", 0), ("confirmation/confirmation", 0), ("confirmation/confirmation", 16)):
        seeds = pd.read_csv(RESULTS / f"{name}-seeds.csv")
        seeds = seeds[(seeds["protocol"] == "synth_2") & seeds["seed"].between(first, first + 15)]
        mae = seeds.pivot(index="seed", columns="arm", values="mae")
        pairs = mae[next(label for label in labels if label in mae)] - mae["random"]
        low, high = stats.ttest_1samp(pairs, 0).confidence_interval(0.95)
        expected += [pairs.mean(), (high - low) / 2]
    assert numbers(line) == pytest.approx(expected, abs=0.00501)
    assert len(pairs) == 16


def test_the_committed_store_has_the_committed_seeds() -> None:
    found = bench.results("conclusion", store=RESULTS / "quick/conclusion.sqlite")
    seeds = pd.read_csv(RESULTS / "quick/conclusion-seeds.csv")
    keys = ["arm", "protocol", "seed"]
    assert len(found) == len(seeds) == 5 * 2 * 16
    joined = seeds.merge(found, on=keys, suffixes=("", "_store"), validate="one_to_one")
    assert joined["mae"].tolist() == pytest.approx(joined["mae_store"].tolist(), abs=1e-12)
    assert joined["trial"].tolist() == joined["trial_store"].tolist()


def test_the_worked_example_follows_from_its_table() -> None:
    text = (RESULTS.parent / "docs/statistics.md").read_text(encoding="utf-8")
    example = text[text.index("## One example") : text.index("## Secondary analyses")]
    mae = pd.read_csv(RESULTS / "finetune/conclusion-seeds.csv").pivot(index="seed", columns="arm", values="mae")
    for arm in ("gaussian", "random"):
        assert f"| {arm} | {' | '.join(f'{value:.3f}' for value in mae[arm])} |" in example
    pairs = mae["gaussian"] - mae["random"]
    low, high = stats.ttest_1samp(pairs, 0).confidence_interval(0.95)
    assert f"mean {pairs.mean():.3f}, interval [{low:.3f}, {high:.3f}]".replace("-", "−") in example
    fresh = pd.read_csv(RESULTS / "finetune/confirmation-seeds.csv").pivot(index="seed", columns="arm", values="mae")
    pairs = fresh["gaussian 30"] - fresh["random"]
    low, high = stats.ttest_1samp(pairs, 0).confidence_interval(0.95)
    assert f"{pairs.mean():.3f} [{low:.3f}, {high:+.3f}]".replace("-", "−") in example
