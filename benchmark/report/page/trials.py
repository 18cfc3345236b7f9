"""The trials behind the numbers: one compact row each, and the details as data for the page's script."""

from html import escape
from typing import Any

import pandas as pd

from benchmark.report.text import protocol_title
from benchmark.store import Store
from benchmark.store.schema import METRICS
from mhpe.names import title as set_title

Group = tuple[str, str, str, str]  # study, preset, protocol and arm
Trace = tuple[dict[str, list[str]], dict[Group, int], dict[str, Any]]  # see trace
DECIMALS = 4
HEADINGS = ("Trial", "Arm", "Seed", "Trained on", "State", "MAE", "Seconds", "Host", "Commit", "Error")
SAMPLER = ("sampler", "parameters", "sampler_source", "data", "core_version", "backbone_weights", "first_weights")


def _place(values: dict[str, tuple[int, Any]], value: Any) -> int:
    """Place of a value among those that many trials have in common; each is kept once, by its text."""
    return values.setdefault(repr(value), (len(values), value))[0]


def rounded(table: pd.DataFrame, decimals: int) -> list[list[float | None]]:
    """Rows of numbers for JSON."""
    values = table.astype(float).round(decimals).astype(object)
    return values.where(values.notna(), None).to_numpy().tolist()


def trace(store: Store, cells: pd.DataFrame) -> Trace:
    """The trials in the cells of all reported studies, which have a column ``study``.

    Returns:
        By trial, in the order of the cells, the HTML below each of ``HEADINGS`` but the first; the number of each group
        of trials; and what the script shows of a trial on demand: ``metrics``; ``groups``, study, preset, protocol and
        arm of each; the shared ``cores``, ``samplers`` and ``environments``; and ``trials``: key, place of core, of
        sampler and of environment, then finishing time, number of weights, error message, for each cell the number of
        its group and its metrics, and the traceback of a failed trial.
    """
    groups: dict[Group, int] = {}
    where: dict[str, list[tuple[Group, list[float | None]]]] = {}
    places = cells[["study", "preset", "protocol", "arm", "trial"]].itertuples(index=False, name=None)
    for (*place, key), metrics in zip(places, rounded(cells[list(METRICS)], DECIMALS), strict=True):
        group: Group = (place[0], place[1], place[2], place[3])
        groups.setdefault(group, len(groups))
        where.setdefault(key, []).append((group, metrics if metrics[0] is not None else []))

    shared: dict[str, dict[str, tuple[int, Any]]] = {"cores": {}, "samplers": {}, "environments": {}}
    rows: dict[str, list[str]] = {}
    trials: dict[str, list[Any]] = {}
    for trial in store.trials():
        key, identity = trial["key"], trial["identity"]
        if key not in where:
            continue
        environment = {name: value for name, value in (trial["environment"] or {}).items() if name != "process"}
        rows[key] = _row(trial, where[key], environment)
        trials[key] = [
            key, _place(shared["cores"], identity.get("core")),
            _place(shared["samplers"], {name: identity.get(name) for name in SAMPLER}),
            _place(shared["environments"], environment), trial["finished"],
            trial["parameters"], trial["error_message"],
            [[groups[group], metrics] for group, metrics in where[key]],
            trial["traceback"] if trial["status"] == "failed" else None,
        ]  # fmt: skip
    data = {
        "metrics": list(METRICS),
        "groups": [(study, preset, protocol_title(protocol), arm) for study, preset, protocol, arm in groups],
        "trials": list(trials.values()),
    }
    data |= {name: [value for _, value in values.values()] for name, values in shared.items()}
    return {key: rows[key] for key in where if key in rows}, groups, data


def _row(
    trial: dict[str, Any], cells: list[tuple[Group, list[float | None]]], environment: dict[str, Any]
) -> list[str]:
    maes = {group[2]: f"{metrics[METRICS.index('mae')]:.2f}" for group, metrics in cells if metrics}
    named = [f"{mae} ({protocol})" if len(maes) > 1 else mae for protocol, mae in maes.items()]
    seconds = "" if trial["seconds"] is None else f"{trial['seconds']:.1f}"
    shown = (
        cells[0][0][3], str(trial["seed"]), set_title(trial["train_set"]), trial["status"], ", ".join(named), seconds,
        environment.get("host") or "", environment.get("commit") or "", trial["error_type"] or "",
    )  # fmt: skip
    return [escape(cell) for cell in shown]
