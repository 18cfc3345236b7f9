"""The figures of a study."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.protocols import PROTOCOLS
from benchmark.report.style import BASELINE, style

PARAMETERS = {"sigma": "standard deviation in degrees", "bin_width": "range of a bin in degrees"}
INTERVAL_FROM = 3
"""Seeds from which an interval is drawn; with two it is 12.7 standard errors wide and hides the seeds."""


def mae_against_parameter(results: pd.DataFrame, table: pd.DataFrame, baseline: str, title: str) -> Figure | None:
    """MAE against the parameter that the arms vary: seeds, mean and interval, and the baseline's band.

    Args:
        results: cells of one preset, as :meth:`benchmark.store.Store.results` gives them.
        table: of the same preset, as :func:`benchmark.report.tables.study_table` gives it.
        baseline: label of the baseline arm.
        title: of the study.

    Returns:
        The figure, or None if the study varies neither sigma nor the bin width, or has no result.
    """
    arms = table[(table["arm"] != baseline) & table["mae"].notna()]
    parameter = next((name for name in PARAMETERS if arms[name].nunique() > 1), None)
    if parameter is None:
        return None
    protocols = list(dict.fromkeys(arms["protocol"]))
    with style():
        figure, axes = plt.subplots(
            1, len(protocols), figsize=(1.4 + 4.8 * len(protocols), 3.9), squeeze=False, constrained_layout=True
        )
        for axis, protocol in zip(axes[0], protocols, strict=True):
            of_protocol = arms[arms["protocol"] == protocol].sort_values(parameter)
            _baseline_band(axis, table[(table["protocol"] == protocol) & (table["arm"] == baseline)])
            _arms(axis, of_protocol, results[results["protocol"] == protocol], parameter)
            axis.set_title(PROTOCOLS[protocol].title if protocol in PROTOCOLS else protocol)
            axis.set_xlabel(PARAMETERS[parameter])
            axis.set_xticks(of_protocol[parameter], [f"{value:g}" for value in of_protocol[parameter]])
            axis.set_ylabel("MAE in degrees")
            axis.margins(y=0.15)
        axes[0][-1].legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
        figure.suptitle(title)
    return figure


def _baseline_band(axis: Axes, rows: pd.DataFrame) -> None:
    for _, row in rows.iterrows():
        axis.axhline(row["mae"], color=BASELINE, linestyle="--", label=f"{row['arm']} (baseline), mean")
        if row["n"] >= INTERVAL_FROM:
            low, high = row["mae"] - row["mae_hw"], row["mae"] + row["mae_hw"]
            axis.axhspan(low, high, color=BASELINE, alpha=0.12, lw=0, label="its 95 % interval")


def _arms(axis: Axes, arms: pd.DataFrame, results: pd.DataFrame, parameter: str) -> None:
    seeds = results.merge(arms[["arm", parameter]], on="arm")
    axis.plot(seeds[parameter], seeds["mae"], "o", ms=4, mfc="none", alpha=0.7, color="C0", label="single seeds")
    axis.plot(arms[parameter], arms["mae"], "-o", color="C0", label="mean over seeds")
    sure = arms[arms["n"] >= INTERVAL_FROM]
    if len(sure):
        axis.errorbar(
            sure[parameter], sure["mae"], sure["mae_hw"], fmt="none", ecolor="C0", capsize=3, label="95 % interval"
        )
