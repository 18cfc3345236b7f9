"""The slides' tables: published, recomputed from their own columns, and reproduced."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from benchmark.report.published.peers import FOLDER, on_published_protocols
from benchmark.report.text import NOTHING, number, signed, with_error
from benchmark.report.views import METRICS, PARAMETERS, Columns, cell, columns, to_text

SLIDES_STUDIES = ("bins", "gaussian_sigma", "reverse_gaussian", "uniform", "conclusion")
"""The slides' tables of results, named after the studies that repeat them, in the slides' order."""
AS_PUBLISHED = {"empty_bin": "nearest", "order": "first", "rounding": "largest_remainder"}
"""Parameters of our samplers that the slides do not vary, set as the slides do it."""
ROUNDING = 0.01  # three columns rounded to 0.01 move their mean by up to 0.005, and the published mean is rounded too
EULER = ["yaw", "pitch", "roll"]
VECTORS = ["left", "down", "front"]
THESIS_NOTE = "The slides' table 2: angles between predicted and labelled axes in degrees, and their mean, MAEV."


def slides(table: str | None = None) -> pd.DataFrame:
    """Rows of the slides' tables in order: of ``thesis`` (table 2, earlier results), of a study's, or of all for None.

    Returns:
        Columns table, result (the slides' word), sampler (ours, missing where the slides' method is none of them),
        bin_width, sigma, protocol ("Protocol 1" or "Protocol 2"), the published yaw, pitch, roll, mae, left, down,
        front, maev in degrees, ``recomputed`` and ``maev_recomputed`` (the mean of their own three columns) and
        ``consistent``, whether published and recomputed MAE agree within rounding.
    """
    facts = pd.read_csv(FOLDER / "slides.csv", dtype={"sampler": str}, keep_default_na=False, na_values=[""])
    facts["recomputed"] = facts[EULER].mean(axis=1)
    facts["maev_recomputed"] = facts[VECTORS].mean(axis=1)
    # A little slack, since 4.84 - 4.83 is not 0.01 in binary numbers.
    facts["consistent"] = (facts["mae"] - facts["recomputed"]).abs() <= ROUNDING + 1e-9
    return (facts if table is None else facts[facts["table"] == table]).reset_index(drop=True)


def beside_ours(study: str, ours: pd.DataFrame) -> pd.DataFrame:
    """The rows of one of :data:`SLIDES_STUDIES`, and beside them what this suite measured on the very same protocol.

    An arm reproduces a row if its sampler has the row's parameters, and else those of the slides. Results on any
    other protocol are never put here. ``ours`` are rows of :func:`benchmark.report.summary.summarise`.

    Returns:
        The columns of :func:`slides`, and for each preset that was run ``reproduced_<preset>``,
        ``half_width_<preset>``, ``n_<preset>`` and ``difference_<preset>`` (reproduced minus recomputed).
    """
    rows = slides(study)
    ours = on_published_protocols(ours)
    for preset in dict.fromkeys(ours["preset"]):
        of_preset = ours[ours["preset"] == preset]
        found = pd.DataFrame([_reproduction(row, of_preset) for row in rows.to_dict("records")])
        rows[[f"{name}_{preset}" for name in ("reproduced", "half_width", "n")]] = found
        rows[f"difference_{preset}"] = rows[f"reproduced_{preset}"].astype(float) - rows["recomputed"]
    return rows


def _reproduction(row: Mapping[Hashable, Any], ours: pd.DataFrame) -> tuple[float, float, int]:
    """MAE, its half-width, and number of seeds, of the arm that reproduces a row."""
    wanted = AS_PUBLISHED | {name: row[name] for name in ("bin_width", "sigma") if pd.notna(row[name])}
    candidates = ours[(ours["published"] == row["protocol"]) & (ours["sampler"] == row["sampler"])]
    for arm in candidates.to_dict("records"):
        if all(wanted.get(name) == value for name, value in arm["parameters"].items()):
            return arm["mae"], arm["mae_hw"], arm["n"]
    return np.nan, np.nan, 0


def presets_of(rows: pd.DataFrame) -> list[str]:
    """Presets with a reproduction in a table of :func:`benchmark.report.published.beside_ours`."""
    return [name.removeprefix("reproduced_") for name in map(str, rows) if name.startswith("reproduced_")]


def published_text(rows: pd.DataFrame) -> pd.DataFrame:
    """The slides' columns, the recomputed mean and its mark, and for each preset what was reproduced."""
    shown: Columns = {
        "Result": cell(str, "result"),
        **columns(*PARAMETERS),
        "Protocol": cell(str, "protocol"),
        **{name.capitalize(): cell(number, name) for name in EULER},
        "Published": cell(number, "mae"),
        "Recomputed": lambda row: f"{'' if row['consistent'] else '≠ '}{number(row['recomputed'])}",
    }
    presets = presets_of(rows)
    for preset in presets:
        several = f" ({preset})" if len(presets) > 1 else ""
        shown |= {
            f"Reproduced{several}": cell(with_error, f"reproduced_{preset}", f"half_width_{preset}"),
            f"Difference{several}": cell(signed, f"difference_{preset}"),
        }
    return to_text(rows, shown if presets else shown | dict.fromkeys(("Reproduced", "Difference"), lambda _: NOTHING))


def published_notes(rows: pd.DataFrame) -> str:
    """How to read the table, and why nothing is reproduced."""
    presets = presets_of(rows)
    where = (
        "Reproduced: this suite's mean over seeds on the very same protocol. Difference: reproduced minus recomputed. "
        f"Preset: {', '.join(presets)}."
        if presets
        else (
            "No trial in this store is on the slides' protocols (300W-LP to BIWI or AFLW2000-3D); results on "
            "other protocols stand in their own tables."
        )
    )
    return (
        "MAE in degrees. Published: by the slides. Recomputed: the mean of their yaw, pitch and roll; ≠ where "
        f"this is not what is published, within rounding. {where}"
    )


def thesis_text() -> pd.DataFrame:
    """The slides' vector errors for display."""
    shown: Columns = {"Result": cell(str, "result"), "Protocol": cell(str, "protocol")}
    errors = {heading: cell(number, METRICS[heading]) for heading in ("Left", "Down", "Front", "MAEV")}
    return to_text(slides("thesis"), shown | errors)


def audit() -> pd.DataFrame:
    """What in the slides does not hold: ``place``, what is ``published`` there, and what is ``right`` or used here."""
    return pd.read_csv(FOLDER / "audit.csv")
