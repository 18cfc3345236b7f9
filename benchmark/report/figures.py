"""The figures of a study."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from benchmark.protocols import PROTOCOLS
from benchmark.report.style import BASELINE, style

PARAMETERS = {"sigma": "standard deviation in degrees", "bin_width": "range of a bin in degrees"}


def mae_against_parameter(table: pd.DataFrame, baseline: str, title: str) -> Figure | None:
    """MAE against the parameter that the arms vary, with intervals, and the baseline's band.

    Args:
        table: as :func:`benchmark.report.tables.study_table` gives it, of one preset.
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
            1, len(protocols), figsize=(1.2 + 4.6 * len(protocols), 3.8), squeeze=False, constrained_layout=True
        )
        for axis, protocol in zip(axes[0], protocols, strict=True):
            of_protocol = arms[arms["protocol"] == protocol].sort_values(parameter)
            axis.errorbar(
                of_protocol[parameter],
                of_protocol["mae"],
                of_protocol["mae_hw"].fillna(0),
                marker="o",
                capsize=3,
                label="mean over seeds, 95 % interval",
            )
            for _, row in table[(table["protocol"] == protocol) & (table["arm"] == baseline)].iterrows():
                axis.axhline(row["mae"], color=BASELINE, linestyle="--", label=f"{baseline} (baseline)")
                if pd.notna(row["mae_hw"]):
                    axis.axhspan(
                        row["mae"] - row["mae_hw"], row["mae"] + row["mae_hw"], color=BASELINE, alpha=0.12, lw=0
                    )
            axis.set_title(PROTOCOLS[protocol].title if protocol in PROTOCOLS else protocol)
            axis.set_xlabel(PARAMETERS[parameter])
            axis.set_ylabel("MAE in degrees")
        axes[0][0].legend(frameon=False, fontsize="small")
        figure.suptitle(title)
    return figure
