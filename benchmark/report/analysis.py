"""Works out everything that is reported of a study: its numbers, and its figures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmark.report import secondary
from benchmark.report.figures import FIGURES, MAIN, draw, finished
from benchmark.report.figures.search import against_parameters
from benchmark.report.images import Images, errors_by_yaw
from benchmark.report.published.slides import SLIDES_STUDIES, beside_ours, published_notes, published_text
from benchmark.report.search import SearchReport
from benchmark.report.sentences import caveat, core_note, training_caveat
from benchmark.report.study_report import Material, ReportTable, StudyReport, other_files
from benchmark.report.style import Drawing, NoDataError, rendered
from benchmark.report.summary import baselines_of, summarise
from benchmark.report.text import slug
from benchmark.report.views import to_text
from benchmark.report.writers import FigureFile, TextTable
from benchmark.statistics import MARGIN, bootstrap_difference
from benchmark.store import Store


def analyse(
    url: str,
    name: str,
    definition: dict[str, Any],
    cells: pd.DataFrame,
    searches: list[SearchReport],
    png: bool,
) -> StudyReport:
    """Everything that is reported of a study but q, from the store at a URL; with ``png`` figures are PNG, too.

    Definition and ``cells``, at least one, are the store's; the searches those of :func:`report_searches`.
    """
    store = Store(url, read_only=True)
    with store.snapshot():
        report = read_study(store, name, definition, cells)
        materials = [Material(store, report, preset) for preset in dict.fromkeys(report.table["preset"])]
        for material in materials:
            _draw(report, material, png)
        yaw = _of_images(materials, errors_by_yaw)
        far = _of_images(materials, far_errors)
        bootstraps = _of_images(materials, lambda images: bootstrap(images, report.baselines))
    of_seeds = cells if far.empty else cells.merge(far, how="left", on=["preset", "protocol", "arm", "seed"])
    report.other_metrics = secondary.other_metrics(of_seeds, report.baselines, report.margin)
    report.tables = _tables(report, bootstraps)
    report.searches = [search._replace(figure=_of_search(report, search, png)) for search in searches]
    report.files = other_files(report, yaw)
    return report


def read_study(store: Store, name: str, definition: dict[str, Any], cells: pd.DataFrame) -> StudyReport:
    """A study's main numbers, without what takes time."""
    table = summarise(cells, baselines_of(cells, definition), definition.get("margin", MARGIN))
    draws = secondary.draw_table(store, name)
    of_arms = cells.dropna(subset=["status"]).drop_duplicates(["preset", "arm"])
    identities = store.identities(of_arms["trial"])
    places = zip(of_arms["preset"], of_arms["arm"], of_arms["trial"], strict=True)
    cores = {(preset, arm): identities[key]["core"] for preset, arm, key in places}
    return StudyReport(
        name,
        definition,
        cells,
        secondary.add_draws(table, draws, cells, cores),
        draws,
        _caveats(store, cells),
        core_note({preset: core for (preset, arm), core in cores.items() if arm == definition["baseline"]}),
    )


def _caveats(store: Store, cells: pd.DataFrame) -> dict[str, str]:
    """By protocol, in which way its data are not the published ones."""
    caveats: dict[str, dict[str, None]] = {}
    columns = ["protocol", "test_set", "train_set", "train_images"]
    for protocol, fingerprint, *training in cells[columns].drop_duplicates().itertuples(index=False, name=None):
        said = caveat(store.test_set(fingerprint)), training_caveat(*training)
        caveats.setdefault(protocol, {}).update(dict.fromkeys(filter(None, said)))
    return {protocol: " ".join(said) for protocol, said in caveats.items() if said}


def _draw(report: StudyReport, material: Material, png: bool) -> None:
    """Draw the figures of one preset."""
    caveats = dict.fromkeys(report.caveats.values())
    for kind, (title, _) in FIGURES.items():
        shown = f"{title}, preset {material.preset}" if report.table["preset"].nunique() > 1 else title
        try:
            drawing = draw(kind, material)
        except NoDataError as missing:
            report.not_drawn[shown] = str(missing)
            continue
        name = f"{report.slug}-{kind}-{slug(material.preset)}"
        report.figures.append(_file(name, shown, drawing, png, " ".join(caveats), kind in MAIN))


def _of_search(report: StudyReport, search: SearchReport, png: bool) -> FigureFile | None:
    """Draw the figure of a search; None if it has no finished point."""
    title = f"Points of the search: {search.title}"
    try:
        drawing = finished(lambda: against_parameters(search), title, search.incomplete)
    except NoDataError as missing:
        report.not_drawn[title] = str(missing)
        return None
    return _file(f"{search.name}-points", title, drawing, png)


def _file(name: str, title: str, drawing: Drawing, png: bool, caveats: str = "", main: bool = True) -> FigureFile:
    caption = f"{drawing.caption} {caveats}".strip()
    return FigureFile(name, title, caption, drawing.alt, *rendered(drawing.figure, png), main)


def _tables(report: StudyReport, bootstraps: pd.DataFrame) -> dict[str, ReportTable]:
    """The tables beside the main one that have a row, by name."""
    tables = {
        "draws": report.draws.drop(columns="shares"),
        "parts": report.other_metrics,
        "margins": secondary.sensitivity(report.table),
        "price": secondary.price(report.cells, report.baselines),
        "bootstrap": bootstraps,
    }
    places = {"Preset": report.table["preset"], "Trained on": report.draws["train_set"]}
    same = [name for name, values in places.items() if values.nunique() < 2]
    found = {}
    for name, table in tables.items():
        heading, columns, note = secondary.TABLES[name]
        shown = to_text(table, columns) if columns else secondary.part_text(table)
        if len(shown):
            found[name] = ReportTable(heading, table, TextTable(shown.drop(columns=same, errors="ignore"), note))
    if report.name in SLIDES_STUDIES:
        rows = beside_ours(report.name, report.on_published_data)
        text = TextTable(published_text(rows), published_notes(rows))
        found["published"] = ReportTable("Published, recomputed, reproduced", rows, text)
    return found


def _of_images(materials: Sequence[Material], work: Callable[[Images], pd.DataFrame]) -> pd.DataFrame:
    """What is worked out of the images of each protocol, after columns preset and protocol."""
    found = {(of.preset, protocol): work(images) for of in materials for protocol, images in of.images.items()}
    if not found:
        return pd.DataFrame()
    return pd.concat(found, names=["preset", "protocol"]).reset_index(level=[0, 1]).reset_index(drop=True)


def bootstrap(images: Images, baselines: Mapping[str, str]) -> pd.DataFrame:
    """One row per arm of a protocol whose predictions can be compared with its baseline's image by image.

    Columns arm, baseline, seeds, images, persons, difference, low, high (degrees of MAE), and
    probability_of_improvement with its ends probability_low and probability_high.
    """
    rows = []
    persons = images.test_set.identities
    for arm, errors in images.arms.items():
        base = images.arms.get(baselines.get(arm, arm), errors)
        seeds = sorted(set(errors.seeds) & set(base.seeds))
        if base is errors or not seeds:
            continue
        mine, theirs = (of.mae[[of.seeds.index(seed) for seed in seeds]] for of in (errors, base))
        counts = {"seeds": len(seeds), "images": mine.shape[1], "persons": len(np.unique(persons))}
        found = bootstrap_difference(mine, theirs, persons)
        rows.append({"arm": arm, "baseline": baselines[arm], **counts, **found})
    return pd.DataFrame(rows)


def far_errors(images: Images) -> pd.DataFrame:
    """MAE of each trial over the images beyond ``FAR`` degrees of yaw: columns arm, seed and far."""
    beyond = np.abs(images.test_set.angles[:, 0]) > secondary.FAR
    tables = [
        pd.DataFrame({"arm": arm, "seed": errors.seeds, "far": errors.mae[:, beyond].mean(1, dtype=float)})
        for arm, errors in images.arms.items()
        if beyond.any()
    ]
    return pd.concat(tables) if tables else pd.DataFrame()
