"""The slides' rows beside ours as people read them."""

import pandas as pd

from benchmark.report.text import NOTHING, number, plain, signed, with_error

MARK = "does not add up"


def presets_of(rows: pd.DataFrame) -> list[str]:
    """Presets with a reproduction in a table of :func:`benchmark.report.published.beside_ours`."""
    return [name.removeprefix("reproduced_") for name in map(str, rows) if name.startswith("reproduced_")]


def reproduced(rows: pd.DataFrame) -> bool:
    """Whether anything of the slides' rows was reproduced."""
    return any(rows[f"reproduced_{preset}"].notna().any() for preset in presets_of(rows))


def published_text(rows: pd.DataFrame) -> pd.DataFrame:
    """The slides' columns, the recomputed mean and its mark, and for each preset what was reproduced."""
    shown = pd.DataFrame(
        {
            "Result": rows["result"],
            "Range of bins": rows["bin_width"].map(plain),
            "Std dev": rows["sigma"].map(plain),
            "Protocol": rows["protocol"],
            "Yaw": rows["yaw"].map(number),
            "Pitch": rows["pitch"].map(number),
            "Roll": rows["roll"].map(number),
            "Printed": rows["mae"].map(number),
            "Recomputed": rows["recomputed"].map(number),
            "Check": ["" if good else MARK for good in rows["consistent"]],
        }
    )
    presets = presets_of(rows)
    if not presets:
        shown["Reproduced"] = shown["Difference"] = NOTHING
    for preset in presets:
        several = f" ({preset})" if len(presets) > 1 else ""
        values, errors = (rows[f"{column}_{preset}"].astype(float) for column in ("reproduced", "half_width"))
        shown[f"Reproduced{several}"] = [with_error(*pair) for pair in zip(values, errors, strict=True)]
        shown[f"Difference{several}"] = rows[f"difference_{preset}"].astype(float).map(signed)
    return shown


def published_notes(rows: pd.DataFrame) -> str:
    """How to read the table, and what it lacks."""
    notes = (
        "MAE in degrees. Printed: the slides' own. Recomputed: the mean of their yaw, pitch and roll. Reproduced: this "
        "suite's mean over seeds on the very same protocol. Difference: reproduced minus recomputed."
    )
    presets = presets_of(rows)
    if not presets:
        return (
            f"{notes} No trial in this store is on the slides' protocols (300W-LP to BIWI or AFLW2000-3D); results on "
            "other protocols stand in their own tables."
        )
    return f"{notes} Preset: {', '.join(presets)}."
