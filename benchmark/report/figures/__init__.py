"""The figures of a study."""

from collections.abc import Callable

from benchmark.report.figures import images, parameters, seeds, trainings
from benchmark.report.study_report import Material
from benchmark.report.style import Drawing, headline, legend, style, watermark

FIGURES: dict[str, tuple[str, Callable[[Material], Drawing]]] = {
    "mae": ("MAE against the parameter", parameters.against_parameter),
    "differences": ("Differences to the baseline", seeds.forest),
    "seeds": ("Paired seeds", seeds.paired_seeds),
    "grid": ("MAE over sigma and bin width", parameters.heat_map),
    "yaw": ("Error by |yaw|", images.by_yaw),
    "cumulative": ("Cumulative error", images.cumulative),
    "distances": ("Distance of the references", trainings.distances),
    "drawn": ("Error against what was drawn", trainings.error_against_draws),
    "calibration": ("Calibration of the concentration", images.calibration),
    "training": ("Training curves", trainings.losses),
}
"""Title and function of each, by the name its file has."""

MAIN = ("mae", "differences", "grid", "distances", "drawn")
"""Those that answer a study's question; the page folds the others."""


def draw(kind: str, material: Material) -> Drawing:
    """One of ``FIGURES`` with its title and legend; a :class:`NoDataError` if the store has no data for it."""
    title, panels = FIGURES[kind]
    return finished(lambda: panels(material), f"{material.title}: {title}", material.incomplete)


def finished(panels: Callable[[], Drawing], title: str, incomplete: str) -> Drawing:
    """A figure in the report's style, with its title and legend, and across it what is incomplete, if anything."""
    with style():
        drawing = panels()
        legend(drawing.figure, drawing.figure.axes)
        headline(drawing.figure, title)
        watermark(drawing.figure, incomplete)
    return drawing
