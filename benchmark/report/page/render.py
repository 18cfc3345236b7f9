"""Fills the page's templates."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from benchmark.report import views
from benchmark.report.page.explorer import explorer
from benchmark.report.page.trials import HEADINGS, Group, Trace
from benchmark.report.published import peers, slides
from benchmark.report.sentences import machines_note, study_sentence
from benchmark.report.study_report import StudyReport
from benchmark.report.text import difference, protocol_title, synthetic_note
from benchmark.report.writers import is_number, without_constants
from benchmark.statistics import groups_of
from benchmark.store import Store
from benchmark.store.reading import TestSet
from benchmark.study.presets import PRESETS, describe
from mhpe.names import MAX_ANGLE
from mhpe.names import title as set_title

MARKS = {"better": "▼", "worse": "▲", "equivalent": "≈", "inconclusive": "?", "no result": "–"}
"""Sign of each verdict, for readers who see no colours."""
SHOWN = 16  # hexadecimal digits of a digest
LONG = 300  # trials above which the list is left out on paper


def render_page(store: Store, studies: Sequence[StudyReport], traced: Trace, costs: pd.DataFrame) -> str:
    """The page as one HTML text without any outside reference; ``costs`` is the table of cost and error."""
    trials, numbers, data = traced
    names = [study.name for study in studies]
    presets = dict.fromkeys(preset for study in studies for preset in study.table["preset"])
    options: dict[str, Any] = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    environment = Environment(loader=PackageLoader("benchmark.report"), undefined=StrictUndefined, **options)
    environment.filters["inline"] = _inline
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}  # and keys in their order
    return environment.get_template("index.html").render(
        studies=[_study(store, study, numbers) for study in studies],
        notes=[views.NOTE, views.COMPARISON_NOTE, views.POOL_NOTE, views.STATISTICS_NOTE, views.VECTOR_NOTE],
        presets={name: describe(PRESETS[name]) for name in presets if name in PRESETS},
        max_angle=MAX_ANGLE,
        cep=peers.CEP,
        peers=page_table(costs, "Published results of other methods with a source, and ours on the same protocols"),
        audit=page_table(slides.audit().rename(columns=str.title), "What does not hold in the slides, and what does"),
        thesis=page_table(slides.thesis_text(), slides.THESIS_NOTE),
        others={
            name: page_table(slides.published_text(rows), slides.published_notes(rows))
            for name in slides.SLIDES_STUDIES if name not in names
            for rows in (slides.beside_ours(name, studies[0].table.head(0)),)
        },
        trials=trials,
        headings=HEADINGS,
        marks=MARKS,
        long=len(trials) > LONG,
        data=data,
        explorer=explorer(studies, numbers),
    )  # fmt: skip


def _study(store: Store, study: StudyReport, groups: dict[Group, int]) -> dict[str, Any]:
    published = study.tables.get("published")
    return {
        "report": study,
        "sentence": study_sentence(study.table, study.margin),
        "matrix": _matrix(study.table),
        "groups": [_group(study, groups, *group) for group in groups_of(study.table)],
        "tables": {name: (found.heading, page_table(*found.text)) for name, found in study.tables.items()},
        "reproduced": published is not None and published.table.filter(like="reproduced_").notna().any(axis=None),
        "machines": machines_note(study.cells),
        "best": [page_table(*search.text) for search in study.searches],
        "fingerprints": _fingerprints(store, study.cells),
        "missing": [
            f"{row['arm']}, {protocol_title(row['protocol'])}: {row['missing']}"
            for row in study.table[study.table["missing"] != ""].to_dict("records")
        ],
    }


def _fingerprints(store: Store, cells: pd.DataFrame) -> list[dict[str, str]]:
    """What makes the numbers of each protocol in some cells comparable: its images and their crop."""
    found = []
    for protocol, train_set, digest in cells[["protocol", "train_set", "test_set"]].drop_duplicates().values:
        trained_on = set_title(train_set) if isinstance(train_set, str) else "not known yet"
        tested_on = _tested_on(digest, store.test_set(digest))
        found.append({"Protocol": protocol_title(protocol), "Trained on": trained_on, **tested_on})
    return found


def _tested_on(fingerprint: str, test_set: TestSet | None) -> dict[str, str]:
    if test_set is None:
        return {"Tested on": "its labels are not in this store", "Content": fingerprint[:SHOWN]}
    meta, images = test_set.meta, len(test_set.image_ids)
    size = f", {meta['size']} × {meta['size']} pixels" if "size" in meta else ""
    left_out = [
        f"{count:,} {why}"
        for count, why in (
            (meta.get("beyond_max_angle", 0), f"beyond {MAX_ANGLE:g} degrees"),
            (len(meta.get("unreadable") or ()), "unreadable"),
        )
        if count
    ]
    counted = f"{images:,} of {meta['found']:,} images found" if "found" in meta else f"{images:,} images"
    because = f" ({' and '.join(left_out)} left out)" if left_out else ""
    crop = str(meta.get("crop_rule", "not recorded"))
    if cropped := meta.get("already_cropped", 0):
        used = f"{cropped:,} of {images:,} images were cropped before and are used as they are"
        crop = used if cropped == images else f"{used}; the others: {crop}"
    return {
        "Tested on": f"{set_title(test_set.name)}, {counted}{because}{size}",
        "Image list": hashlib.sha256("\n".join(test_set.image_ids).encode()).hexdigest()[:SHOWN],
        "Content": f"{fingerprint[:SHOWN]} (images, labels, crop rule and size)",
        "Crop": crop,
    }


def _matrix(table: pd.DataFrame) -> dict[str, Any]:
    """Differences to the baseline: a row an arm, a column a protocol and preset."""
    several = table["preset"].nunique() > 1
    groups = [(preset, protocol, rows.set_index("arm")) for preset, protocol, rows in groups_of(table)]
    compared = dict.fromkeys(table.loc[table["verdict"] != "baseline", "arm"])
    return {
        "headings": [protocol_title(p) + (f", {preset}" if several else "") for preset, p, _ in groups],
        "rows": {arm: [_mark(rows.loc[arm]) if arm in rows.index else None for *_, rows in groups] for arm in compared},
    }


def _mark(row: "pd.Series[Any]") -> dict[str, str] | None:
    if row["verdict"] == "baseline":
        return None
    text = difference(row["difference"], row["low"], row["high"])
    verdict, _, detectably = str(row["verdict"]).partition(" (detectably ")
    mark = MARKS[verdict] + (MARKS[detectably.removesuffix(")")] if detectably else "")
    return {"verdict": verdict, "said": str(row["verdict"]), "mark": mark, "text": text}


def _group(
    study: StudyReport, groups: dict[Group, int], preset: str, protocol: str, rows: pd.DataFrame
) -> dict[str, Any]:
    """One preset on one protocol: what stands above its tables, and the tables, whose rows lead to their trials."""
    title = protocol_title(protocol)
    tables = {
        "main": (views.GROUP_VIEW, f"Errors in degrees and difference to the baseline, {title}"),
        "statistics": (views.GROUP_STATISTICS, f"Statistics of the comparison, {title}"),
        "details": (views.GROUP_DETAILS, f"Vector and rotation errors in degrees, and cost, {title}"),
    }
    links = [f"#trials-{groups[study.name, preset, protocol, arm]}" for arm in rows["arm"]]
    marked = [str(verdict).split(" (")[0] for verdict in rows["verdict"]]
    return {
        "title": title,
        "preset": preset,
        "synthetic": synthetic_note(protocol),
        "caveat": study.caveats.get(protocol, ""),
        **{name: page_table(views.shown(study.text.loc[rows.index], view), caption) | {"links": links, "marked": marked}
           for name, (view, caption) in tables.items()},
    }  # fmt: skip


def page_table(text: pd.DataFrame, caption: str) -> dict[str, Any]:
    """A table of text for the page; a column that says the same in every row is part of the caption instead."""
    text, said = without_constants(text)
    return {
        "caption": f"{caption.rstrip('.')}. {said}" if said else caption,
        "headings": list(text),
        "numeric": [is_number(text[column]) for column in text],
        "rows": text.to_numpy().tolist(),
        "links": [""] * len(text),  # of each row, the address of the trials behind it, or nothing
        "marked": [""] * len(text),  # of each row, a word for its look, such as "better"
    }


def _inline(svg: str, name: str) -> Markup:
    """A drawing as part of the page: without its file's head, its names those that it needs and unlike others'."""
    drawing = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    needed = set(re.findall(r'(?:href="|url\()#([^")]+)', drawing))

    def kept(match: re.Match[str]) -> str:
        if match[1] not in needed:
            return ""
        needed.discard(match[1])  # Matplotlib defines some twice
        return f' id="{name}-{match[1]}"'

    drawing = re.sub(r'(href="|url\()#', rf"\g<1>#{name}-", re.sub(r' id="([^"]*)"', kept, drawing))
    return Markup(drawing)  # Matplotlib escapes texts
