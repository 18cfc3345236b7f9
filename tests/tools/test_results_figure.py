"""The figure of the results' front page."""

import pandas as pd

from tools.results_figure import PANELS, RESULTS, SETS, differences, draw

WAYS = [way for panel in PANELS for way in panel]


def test_it_shows_the_committed_differences() -> None:
    table = differences()
    assert len(table) == len(SETS) * len(WAYS)
    confirmed = pd.read_csv(RESULTS / "confirmation/confirmation.csv").query("protocol == 'synth_2'").set_index("arm")
    drawn = table.set_index(["set", "way"]).loc[(SETS[1][0], "Gaussian, sigma 30")]
    assert drawn["difference"] == confirmed.loc["gaussian 30", "difference"]
    points = [point for axes in draw(table).axes for bars in axes.containers for point in bars.lines[0].get_xdata()]
    assert sorted(points) == sorted(table["difference"])


def test_the_committed_figure_is_that_of_the_tables() -> None:
    text = (RESULTS / "overview.svg").read_text(encoding="utf-8")
    assert all(line in text for way in WAYS for line in way.splitlines())
    assert all(title in text for title, _, _ in SETS)
