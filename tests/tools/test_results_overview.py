"""The figure and the table of all settings are those of the committed tables."""

import re

import pandas as pd
import pytest

from tools.results_overview import RESULTS, SETTINGS, WAYS, draw, page


def test_the_committed_page_is_that_of_the_tables() -> None:
    assert (RESULTS / "settings.md").read_text(encoding="utf-8") == page()


def test_the_page_has_a_row_for_each_batch_of_seeds() -> None:
    rows = re.findall(r"^\| \[.*\|$", page(), re.MULTILINE)
    assert len(rows) == sum(bool(setting.first) + bool(setting.fresh) for setting in SETTINGS)
    table = pd.read_csv(RESULTS / "confirmation/confirmation.csv").query("protocol == 'synth_2'").set_index("arm")
    (fresh,) = (row for row in rows if "SynthHeads, wild" in row and "32 fresh" in row)
    numbers = [float(number.replace("−", "-")) for number in re.findall(r"[+−]?\d\.\d\d", fresh)]
    for i, arm in enumerate(("bins", "gaussian 30", "reverse_gaussian", "uniform")):
        expected = table.loc[arm, ["difference", "low", "high"]].tolist()
        assert numbers[1 + 3 * i : 4 + 3 * i] == pytest.approx(expected, abs=0.00501)


def test_the_committed_figure_is_that_of_the_tables() -> None:
    text = (RESULTS / "overview.svg").read_text(encoding="utf-8")
    assert all(title in text for title in (*WAYS, *(setting.sets for setting in SETTINGS)))
    points = [point for axes in draw().axes for bars in axes.containers for point in bars.lines[0].get_xdata()]
    fresh = pd.read_csv(RESULTS / "finetune/confirmation.csv").set_index("arm")
    first = pd.read_csv(RESULTS / "finetune/conclusion.csv").set_index("arm")
    assert fresh.loc["gaussian 30", "difference"] in points
    assert first.loc["gaussian", "difference"] not in points
    assert first.loc["uniform", "difference"] in points
