"""Draw the figure of the results' front page from its tables: ``python -m tools.results_figure``."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from benchmark.report.style import rendered, style
from benchmark.statistics import MARGIN

RESULTS = Path(__file__).parents[1] / "results"


class Setting(NamedTuple):
    """A row of the figure."""

    training: str
    title: str  # trained on, tested on, and paired seeds of its first and last two ways
    tables: tuple[str, ...]  # of two that have an arm the first, on fresh seeds, counts
    protocol: str


SCRATCH, LONG, SHORT = "from scratch", "fine-tuned, 8 epochs", "fine-tuned, 1 epoch"
SETTINGS = (
    Setting(SCRATCH, "AFLW2000-3D to BIWI", ("scratch/confirmation", "scratch/conclusion"), "aflw2000_to_biwi"),
    Setting(SCRATCH, "BIWI to AFLW2000-3D", ("scratch/confirmation",), "biwi_to_aflw2000"),
    Setting(SCRATCH, "SynthHeads, lab", ("scratch/conclusion",), "synth_1"),
    Setting(SCRATCH, "SynthHeads, wild", ("scratch/conclusion",), "synth_2"),
    Setting(LONG, "AFLW2000-3D to BIWI", ("finetune/confirmation", "finetune/conclusion"), "aflw2000_to_biwi"),
    Setting(SHORT, "AFLW2000-3D to BIWI", ("photographs/conclusion",), "aflw2000_to_biwi"),
    Setting(SHORT, "BIWI to AFLW2000-3D", ("photographs/conclusion",), "biwi_to_aflw2000"),
    Setting(SHORT, "BIWI, validation part", ("photographs/conclusion",), "biwi_validation"),
    Setting(SHORT, "SynthHeads, lab", ("confirmation/confirmation",), "synth_1"),
    Setting(SHORT, "SynthHeads, wild", ("confirmation/confirmation",), "synth_2"),
)
WAYS = {
    "bins of 20": ("bins",),
    "Gaussian, 30": ("gaussian 30", "gaussian"),
    "reverse Gaussian, 45": ("reverse_gaussian",),
    "uniform": ("uniform",),
}
"""The slides' four, with their arm's labels in the studies."""
NEAR, FAR = (-0.5, 0.6), (-0.3, 4.0)  # limits of the axes, degrees: of the first two ways, and of the others


def differences() -> pd.DataFrame:
    """Differences to random references in degrees: columns place, way, difference, low, high and n (paired seeds)."""
    rows = []
    for place, setting in enumerate(SETTINGS):
        table = pd.concat([pd.read_csv(RESULTS / f"{path}.csv") for path in setting.tables])
        table = table[(table["protocol"] == setting.protocol) & table["difference"].notna()]
        table = table.drop_duplicates("arm").set_index("arm")
        for way, labels in WAYS.items():
            if label := next((label for label in labels if label in table.index), None):
                rows.append({"place": place, "way": way, **table.loc[label, ["difference", "low", "high", "pairs"]]})
    return pd.DataFrame(rows)


def draw(table: pd.DataFrame) -> Figure:
    """Forest plots side by side, one a way, with a row for each setting."""
    colours = {SCRATCH: "C3", LONG: "C0", SHORT: "C2"}
    with style():
        figure = Figure(figsize=(10, 4.2), layout="constrained")
        panels = figure.subplots(1, len(WAYS), sharey=True)
        for axes, (way, rows), limits in zip(
            panels, table.groupby("way", sort=False), (NEAR, NEAR, FAR, FAR), strict=True
        ):
            axes.axvspan(-MARGIN, MARGIN, color="#ececec")
            axes.axvline(0, color="black", linewidth=1)
            for training, colour in colours.items():
                own = rows[rows["place"].map(lambda place: SETTINGS[place].training) == training]
                reach = [own["difference"] - own["low"], own["high"] - own["difference"]]
                axes.errorbar(own["difference"], own["place"], xerr=reach, fmt="o", color=colour, label=training)
            axes.set(title=way, xlim=limits)
        panels[0].set_yticks(range(len(SETTINGS)), [setting.title for setting in SETTINGS])
        panels[0].invert_yaxis()
        figure.supxlabel(
            "MAE minus that of random references, degrees: left is better; grey: within 0.1 degrees. Two scales",
            fontsize="medium",
        )
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False)
        return figure


if __name__ == "__main__":
    (RESULTS / "overview.svg").write_text(rendered(draw(differences()))[0], encoding="utf-8")
