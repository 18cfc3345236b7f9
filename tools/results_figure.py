"""Draw the figure of the results' front page from its tables: ``python -m tools.results_figure``."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmark.report.style import MARKERS, rendered, style
from benchmark.statistics import MARGIN

RESULTS = Path(__file__).parents[1] / "results"
SETS = (
    ("SynthHeads lab, 1 epoch, 32 fresh seeds", ("confirmation/confirmation.csv",), "synth_1"),
    ("SynthHeads wild, 1 epoch, 32 fresh seeds", ("confirmation/confirmation.csv",), "synth_2"),
    ("BIWI to AFLW2000-3D, 1 epoch, 16 seeds", ("photographs/conclusion.csv",), "biwi_to_aflw2000"),
    ("AFLW2000-3D to BIWI, 1 epoch, 16 seeds", ("photographs/conclusion.csv",), "aflw2000_to_biwi"),
    (
        "AFLW2000-3D to BIWI, 8 epochs, 8 seeds",
        ("finetune/confirmation.csv", "finetune/conclusion.csv"),
        "aflw2000_to_biwi",
    ),
    (
        "AFLW2000-3D to BIWI, from scratch, 8 seeds",
        ("scratch/confirmation.csv", "scratch/conclusion.csv"),
        "aflw2000_to_biwi",
    ),
)
"""Title, tables and protocol; of two tables that have an arm the first, on fresh seeds, counts."""
PANELS = (
    {"bins of 20": ("bins",), "Gaussian, sigma 30": ("gaussian 30", "gaussian")},
    {"reverse Gaussian,\nsigma 45": ("reverse_gaussian",), "uniform": ("uniform",)},
)
"""Ways of the slides' conclusion, with their arm's labels in the studies: those near the input, and the others."""


def differences() -> pd.DataFrame:
    """Differences to random references in degrees: columns set, way, difference, low and high."""
    rows = []
    for title, paths, protocol in SETS:
        table = pd.concat([pd.read_csv(RESULTS / path) for path in paths])
        table = table[(table["protocol"] == protocol) & (table["verdict"] != "baseline")]
        table = table.drop_duplicates("arm").set_index("arm")
        for way, labels in (way for panel in PANELS for way in panel.items()):
            label = next(label for label in labels if label in table.index)
            rows.append({"set": title, "way": way} | table.loc[label, ["difference", "low", "high"]].to_dict())
    return pd.DataFrame(rows)


def draw(table: pd.DataFrame) -> Figure:
    """Forest plots with a row for each way, and a point with its interval for each set."""
    with style():
        figure = Figure(figsize=(8.2, 4.4), layout="constrained")
        panels = figure.subplots(1, len(PANELS))
        for axes, ways in zip(panels, PANELS, strict=True):
            axes.axvspan(-MARGIN, MARGIN, color="#ececec", label=f"within {MARGIN:g} degrees")
            axes.axvline(0, color="black", linewidth=1)
            for i, (title, rows) in enumerate(table[table["way"].isin(ways)].groupby("set", sort=False)):
                places = np.arange(len(rows)) + 0.12 * (i - (len(SETS) - 1) / 2)
                reach = [rows["difference"] - rows["low"], rows["high"] - rows["difference"]]
                axes.errorbar(rows["difference"], places, xerr=reach, fmt=MARKERS[i], color=f"C{i}", label=title)
            axes.set_yticks(range(len(ways)), list(ways))
            axes.invert_yaxis()
        figure.supxlabel(
            "MAE minus that of random references, degrees (left is better; scales differ)", fontsize="medium"
        )
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
        return figure


if __name__ == "__main__":
    (RESULTS / "overview.svg").write_text(rendered(draw(differences()))[0], encoding="utf-8")
