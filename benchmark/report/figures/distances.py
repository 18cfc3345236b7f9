"""How far the references were from their inputs."""

import numpy as np

from benchmark.report.figures.drawing import Drawing, LackingError, need_several_rules, shown_note
from benchmark.report.images import first_arms
from benchmark.report.material import Material
from benchmark.report.style import BASELINE, headline, legend, line_styles, panels
from mhpe.datasets import title as set_title


def draw(material: Material) -> Drawing:
    """Shares of the references in bars of geodesic distance to their input, as counted in the trainings."""
    found = material.distances
    if not found:
        raise LackingError("no trial stores the diagnostics of its draws")
    need_several_rules(material)
    figure, axes = panels(len(found))
    for axis, (train_set, shares) in zip(axes, found.items(), strict=True):
        arms = first_arms(list(shares), material.baseline)
        styles = line_styles(arms, material.baseline)
        for arm in arms:
            edges = np.linspace(0, 180, len(shares[arm]) + 1)
            if arm == material.baseline:
                axis.stairs(100 * shares[arm], edges, color=BASELINE, alpha=0.25, fill=True, label=arm)
                continue
            middles = (edges[:-1] + edges[1:]) / 2
            axis.plot(middles, 100 * shares[arm], ms=4, markevery=2, label=arm, **styles[arm])
        axis.set(title=f"trained on {set_title(train_set)}", xlim=(0, 180), ylim=(0, None))
        axis.set(xlabel="geodesic distance of input and reference, degrees", xticks=range(0, 181, 30))
        axis.set_ylabel(f"references in bars of {180 / len(next(iter(shares.values()))):g}°, %")
    legend(figure, axes)
    headline(figure, f"{material.title}: distance of the references")
    return Drawing(
        figure,
        "Geodesic distance between inputs and the references that were drawn for them, counted during the trainings; "
        "mean over seeds. The grey area is the baseline." + shown_note(max(len(shares) for shares in found.values())),
        "Distributions of the distance between input and reference, a line for each arm, the baseline as an area.",
    )
