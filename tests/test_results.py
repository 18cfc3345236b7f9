"""The numbers of the results' front page are those of the committed tables."""

import re
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

import benchmark as bench

RESULTS = Path(__file__).parents[1] / "results"
COLUMNS = {"SynthHeads lab": "synth_1", "SynthHeads wild": "synth_2"}
"""Protocol of each column of the table of differences."""
ROWS = {
    "random (MAE)": "random",
    "bins of 20": "bins",
    "Gaussian, sigma 30": "gaussian 30",
    "Gaussian, sigma 45": "gaussian 45",
    "reverse Gaussian, sigma 45": "reverse_gaussian",
    "uniform": "uniform",
    "uniform, shuffled, populated bins only": "uniform_shuffled",
}
"""Arm of each row."""


def cells() -> list[tuple[str, str, str]]:
    """Row, column and text of each cell of the page's table of differences."""
    lines = [line for line in (RESULTS / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    start = next(n for n, line in enumerate(lines) if line.startswith("| references |"))
    table = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[start:]]
    rows = [row for row in table[1:] if row[0] in ROWS]
    return [(row[0], column, text) for row in rows for column, text in zip(table[0][1:], row[1:], strict=True)]


@pytest.mark.parametrize(("row", "column", "text"), cells())
def test_the_front_pages_table_follows_from_the_committed_ones(row: str, column: str, text: str) -> None:
    rows = pd.read_csv(RESULTS / "confirmation/confirmation.csv").set_index(["protocol", "arm"])
    table = rows.loc[(COLUMNS[column], ROWS[row])]
    names = ("mae", "mae_hw") if row == "random (MAE)" else ("difference", "low", "high")
    found = [float(number.replace("−", "-")) for number in re.findall(r"[+−]?\d+\.\d+", text)]
    assert found == [pytest.approx(table[name], abs=0.00501) for name in names]
    assert text.startswith("**") == (table["verdict"] in {"better", "worse"})


def test_the_table_is_there() -> None:
    assert {row for row, _, _ in cells()} == set(ROWS)


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
