"""Each seed's MAE through the arms."""

from benchmark.report.figures.drawing import Drawing, LackingError
from benchmark.report.labels import protocol_title
from benchmark.report.material import Material
from benchmark.report.style import BASELINE, legend, named_rows
from benchmark.report.summary import seed_table

ARMS_DRAWN = 30
SEEDS_DRAWN = 20


def draw(material: Material) -> Drawing:
    """One line a seed: where the lines are parallel, the pairing of seeds removes what they share."""
    if material.cells.dropna(subset=["mae"])["seed"].nunique() < 2:
        raise LackingError("fewer than two seeds have a result")
    arms = list(dict.fromkeys(material.table.loc[material.table["mae"].notna(), "arm"]))[:ARMS_DRAWN]
    figure, axes = named_rows(len(material.protocols), arms)
    for axis, protocol in zip(axes, material.protocols, strict=True):
        seeds = seed_table(material.cells[material.cells["protocol"] == protocol]).reindex(columns=arms)
        for _, seed in seeds.head(SEEDS_DRAWN).iterrows():
            axis.plot(seed, range(len(arms)), "-o", ms=3.5, lw=1, color="C0", alpha=0.55, mfc="white", label="a seed")
        axis.plot(seeds.mean(), range(len(arms)), "D", ms=6, color=BASELINE, label="mean")
        axis.set(title=protocol_title(protocol), xlabel="MAE in degrees")
    legend(figure, axes)
    figure.suptitle(f"{material.title}: paired seeds")
    return Drawing(
        figure,
        "Each line is one seed through all arms: same initial weights, data order and augmentation. Lines that run "
        "side by side mean that a seed is good or bad for all arms alike, and pairing removes it.",
        f"A line for each seed across {len(arms)} arms, MAE on the horizontal axis.",
    )
