"""Draws a study's figures and works out what needs predictions of single images."""

import sys

import matplotlib as mpl
import pandas as pd

from benchmark.report import secondary
from benchmark.report.figures import FIGURES, MAIN, Drawing, NoDataError, draw
from benchmark.report.material import Material
from benchmark.report.study_report import Analysis, FigureFile, StudyReport, search_slug, slug
from benchmark.report.style import rendered, style, watermark
from benchmark.store import Store


def analyse(store: Store, report: StudyReport, png: bool) -> Analysis:
    """Everything of a study's report that takes time; with ``png``, figures are drawn as PNG, too."""
    presets = dict.fromkeys(report.table["preset"])
    materials = [
        Material(
            store, report.name, preset, report.title, report.baseline, report.baselines, report.margin,
            *(table[table["preset"] == preset] for table in (report.cells, report.table, report.draws)),
        )
        for preset in presets
    ]  # fmt: skip
    found = Analysis(
        pd.concat(map(secondary.bootstrap, materials), ignore_index=True),
        pd.concat(map(secondary.yaw_table, materials), ignore_index=True),
        pd.concat(map(secondary.far_errors, materials), ignore_index=True),
    )
    for material in materials:
        _draw(report, material, png, found)
    for search in report.searches:
        if "matplotlib.pyplot" not in sys.modules:
            mpl.use("Agg")  # whatever a notebook set: figures are files, and need no other backend
        from benchmark.report.figures.search import draw_search  # loads pyplot, Optuna and PyTorch

        name = search_slug(report, search)
        drawn = draw_search(search.stored)
        found.of_searches.append([_file(f"{name}-{k}", title, each, png) for k, (title, each) in drawn.items()])
    return found


def _draw(report: StudyReport, material: Material, png: bool, found: Analysis) -> None:
    caveats = dict.fromkeys(report.caveats.values())
    for kind, (title, _) in FIGURES.items():
        shown = f"{title}, preset {material.preset}" if report.table["preset"].nunique() > 1 else title
        try:
            drawing = draw(kind, material)
        except NoDataError as missing:
            found.not_drawn[shown] = str(missing)
            continue
        watermark(drawing.figure, material.incomplete)
        name = f"{report.slug}-{kind}-{slug(material.preset)}"
        found.figures.append(_file(name, shown, drawing, png, " ".join(caveats), kind in MAIN))


def _file(name: str, title: str, drawing: Drawing, png: bool, caveats: str = "", main: bool = True) -> FigureFile:
    caption = f"{drawing.caption} {caveats}".strip()
    return FigureFile(name, title, caption, drawing.alt, *rendered(drawing.figure, png), main)


def cost_figure(ours: pd.DataFrame, png: bool) -> FigureFile:
    """The figure of cost and error of all methods."""
    from benchmark.report.figures import cost

    with style():
        drawing = cost.draw(ours)
    return _file("published-cost", "Cost and error", drawing, png)
