"""What the page's explorer shows: every number is worked out here, and the page's script only chooses among them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from benchmark.report.page.trials import DECIMALS, Group, rounded
from benchmark.report.secondary import NUMBERS, PARTS
from benchmark.report.study_report import StudyReport
from benchmark.report.summary import INTERVAL_FROM
from benchmark.report.text import protocol_title

METRICS = {"mae": "MAE", **PARTS}


def explorer(studies: Sequence[StudyReport], groups: Mapping[Group, int]) -> dict[str, Any]:
    """Data of the explorer; ``groups`` are the numbers of the groups of trials, to which an arm leads."""
    return {
        "metrics": METRICS,
        "numbers": NUMBERS,  # what each row holds after its arm, number of trials and verdict
        "intervals": INTERVAL_FROM,  # pairs from which an interval is drawn
        "studies": {study.slug: _study(study, groups) for study in studies},
    }


def _study(study: StudyReport, groups: Mapping[Group, int]) -> dict[str, Any]:
    """Title, margin, baselines, titles of protocols, and rows by preset, protocol and metric. Only MAE has verdicts."""
    mae = study.table.rename(columns={"mae": "mean", "mae_hw": "half_width"}).assign(metric="mae")
    others = study.other_metrics
    own = others["arm"] == others["arm"].map(study.baselines)
    table = pd.concat([mae, others.assign(verdict=own.map({True: "baseline", False: ""}))], ignore_index=True)
    table = table[table["mean"].notna()]
    places = table[["preset", "protocol", "metric", "arm", "verdict"]].to_numpy().tolist()
    numbers = rounded(table[NUMBERS], DECIMALS + 2)
    rows: dict[str, Any] = {}
    for (preset, protocol, metric, arm, verdict), values in zip(places, numbers, strict=True):
        of_metric = rows.setdefault(preset, {}).setdefault(protocol, {}).setdefault(metric, [])
        of_metric.append([arm, groups[study.name, preset, protocol, arm], verdict, *values])
    return {
        "title": study.title,
        "margin": study.margin,
        "baselines": study.baselines,
        "protocols": {name: protocol_title(name) for name in table["protocol"].unique()},
        "rows": rows,
    }
