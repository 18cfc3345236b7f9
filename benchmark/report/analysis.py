"""Reads a study, draws its figures, and works out what needs predictions of single images."""

import sys
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd

from benchmark.report.figures import FIGURES, MAIN, draw
from benchmark.report.images import errors_by_yaw
from benchmark.report.material import Material
from benchmark.report.secondary import FAR
from benchmark.report.study_report import Analysis, FigureFile, StudyReport, read_study
from benchmark.report.style import Drawing, NoDataError, rendered, watermark
from benchmark.report.text import slug
from benchmark.statistics import bootstrap_difference
from benchmark.store import Store

if TYPE_CHECKING:
    from benchmark.report.search import SearchReport


def analyse(
    url: str,
    name: str,
    definition: dict[str, Any],
    cells: pd.DataFrame,
    searches: list["SearchReport"],
    png: bool,
) -> StudyReport:
    """Everything that is reported of a study but q, from the store at a URL.

    Args:
        url: of the store.
        name: of the study.
        definition: as the store has it.
        cells: as :meth:`benchmark.store.Store.results` gives them, at least one.
        searches: of the study, as :func:`benchmark.report.search.report_searches` gives them.
        png: whether figures are PNG, too.
    """
    store = Store(url, read_only=True)
    with store.snapshot():
        report = read_study(store, name, definition, cells, searches)
        materials = [Material(store, report, preset) for preset in dict.fromkeys(report.table["preset"])]
        by_yaw = [
            errors_by_yaw(images).assign(preset=material.preset, protocol=protocol)
            for material in materials
            for protocol, images in material.images.items()
        ]
        found = Analysis(
            pd.concat(map(bootstrap, materials), ignore_index=True),
            pd.concat(by_yaw or [pd.DataFrame()], ignore_index=True),
            pd.concat(map(far_errors, materials), ignore_index=True),
        )
        for material in materials:
            _draw(report, material, png, found)
    for search in report.searches:
        if "matplotlib.pyplot" not in sys.modules:
            mpl.use("Agg")  # whatever a notebook set: figures are files, and need no other backend
        from benchmark.report.figures.search import draw_search  # loads pyplot, Optuna and PyTorch

        drawn = draw_search(search.stored).items()
        found.of_searches.append([_file(f"{search.name}-{kind}", title, each, png) for kind, (title, each) in drawn])
    report.analysis = found
    report.tables  # noqa: B018  worked out here, and kept with the rest
    return report


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


def bootstrap(material: Material) -> pd.DataFrame:
    """One row per protocol and arm whose predictions can be compared with the baseline's image by image.

    Columns preset, protocol, arm, baseline, seeds, images, persons, difference, low, high (degrees of MAE), and
    probability_of_improvement with its ends probability_low and probability_high.
    """
    rows = []
    for protocol, images in material.images.items():
        persons = images.test_set.identities
        for arm, errors in images.arms.items():
            base = images.arms.get(material.baselines.get(arm, arm), errors)
            seeds = sorted(set(errors.seeds) & set(base.seeds))
            if base is errors or not seeds:
                continue
            mine = errors.mae[[errors.seeds.index(seed) for seed in seeds]]
            theirs = base.mae[[base.seeds.index(seed) for seed in seeds]]
            place = {"preset": material.preset, "protocol": protocol, "arm": arm, "baseline": material.baselines[arm]}
            counts = {"seeds": len(seeds), "images": mine.shape[1], "persons": len(np.unique(persons))}
            rows.append(place | counts | vars(bootstrap_difference(mine, theirs, persons)))
    return pd.DataFrame(rows)


def far_errors(material: Material) -> pd.DataFrame:
    """MAE of each trial over the images beyond ``FAR`` degrees of yaw: columns preset, protocol, arm, seed and far."""
    rows = []
    for protocol, images in material.images.items():
        beyond = np.abs(images.test_set.angles[:, 0]) > FAR
        for arm, errors in images.arms.items() if beyond.any() else ():
            means = errors.mae[:, beyond].mean(1, dtype=float)
            rows += [(material.preset, protocol, arm, *of_seed) for of_seed in zip(errors.seeds, means, strict=True)]
    return pd.DataFrame(rows, columns=["preset", "protocol", "arm", "seed", "far"])
