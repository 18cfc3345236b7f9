"""The figures of a study, one module each."""

from collections.abc import Callable

from benchmark.report.figures import (
    against_parameter,
    by_yaw,
    calibration,
    cumulative,
    distances,
    drawn,
    forest,
    heat_map,
    paired_seeds,
    training,
)
from benchmark.report.figures.drawing import Drawing, LackingError
from benchmark.report.material import Material

FIGURES: dict[str, tuple[str, Callable[[Material], Drawing]]] = {
    "mae": ("MAE against the parameter", against_parameter.draw),
    "differences": ("Differences to the baseline", forest.draw),
    "seeds": ("Paired seeds", paired_seeds.draw),
    "grid": ("MAE over sigma and bin width", heat_map.draw),
    "yaw": ("Error by |yaw|", by_yaw.draw),
    "cumulative": ("Cumulative error", cumulative.draw),
    "distances": ("Distance of the references", distances.draw),
    "drawn": ("Error against what was drawn", drawn.draw),
    "calibration": ("Calibration of the concentration", calibration.draw),
    "training": ("Training curves", training.draw),
}
"""Title and function of each, by the name its file has."""

MAIN = ("mae", "differences", "grid", "distances", "drawn")
"""Those that answer a study's question; the others are for who wants to know more."""

__all__ = ["FIGURES", "MAIN", "Drawing", "LackingError"]
