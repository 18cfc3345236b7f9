"""The trials behind the numbers: one compact row each, and the details as data for the page's script."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from benchmark.report.summary import METRICS
from benchmark.report.text import protocol_title
from benchmark.store import Store
from mhpe.names import title as set_title

Group = tuple[str, str, str, str]  # study, preset, protocol and arm
DECIMALS = 4


HEADINGS = ("Trial", "Arm", "Seed", "Trained on", "State", "MAE", "Seconds", "Host", "Commit", "Error")
"""Of the list of trials."""


@dataclass(frozen=True)
class Trace:
    """All trials of the reported studies.

    Attributes:
        rows: by key, in the order of the cells: the text below each of ``HEADINGS`` but the first.
        groups: number of each group of trials.
        data: what the script shows of a trial on demand: see :func:`trace`.
    """

    rows: dict[str, list[str]]
    groups: dict[Group, int]
    data: dict[str, Any]


class _Shared:
    """Values that many trials have in common, each kept once."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[str, int] = {}

    def place(self, value: Any) -> int:
        text = json.dumps(value, sort_keys=True)
        if text not in self._places:
            self._places[text] = len(self.values)
            self.values.append(json.loads(text))
        return self._places[text]


def trace(store: Store, cells: pd.DataFrame) -> Trace:
    """Rows and details of the trials in some cells.

    Args:
        store: the results store.
        cells: of all reported studies, as :meth:`benchmark.store.Store.results` gives them, with column ``study``.

    Returns:
        The data hold ``metrics``; ``groups``, places in ``names`` of each group's study, preset, protocol and arm;
        ``members``, places in ``trials`` of each group's trials; the shared ``cores``, ``samplers`` and
        ``environments``; and ``trials``: key, place of core, of sampler and of environment, then finishing time,
        number of weights, error message, for each cell the number of its group and its metrics, and the traceback of
        a failed trial.
    """
    where: dict[str, list[tuple[Group, list[float | None]]]] = {}
    groups: dict[Group, int] = {}
    members: list[list[str]] = []
    rounded = cells[list(METRICS)].round(DECIMALS).astype(object)
    values = rounded.where(rounded.notna(), None).to_numpy().tolist()
    for study, preset, protocol, arm, key, metrics in zip(
        cells["study"], cells["preset"], cells["protocol"], cells["arm"], cells["trial"], values, strict=True
    ):
        group = (study, preset, protocol, arm)
        if group not in groups:
            groups[group] = len(members)
            members.append([])
        members[groups[group]].append(key)
        where.setdefault(key, []).append((group, metrics if metrics[0] is not None else []))

    cores, samplers, environments, names = _Shared(), _Shared(), _Shared(), _Shared()
    rows: dict[str, list[str]] = {}
    trials: list[list[Any]] = []
    places: dict[str, int] = {}
    for trial in store.trials():
        key = trial["key"]
        if key not in where:
            continue
        identity, environment = trial["identity"], {**(trial["environment"] or {})}
        environment.pop("process", None)  # differs for every trial and says nothing
        places[key] = len(trials)
        rows[key] = _row(trial, where[key], environment)
        trials.append(
            [
                key,
                cores.place(identity.get("core")),
                samplers.place(_sampler(identity)),
                environments.place(environment),
                _time(trial["finished"]),
                trial["parameters"],
                trial["error_message"],
                [[groups[group], metrics] for group, metrics in where[key]],
                trial["traceback"] if trial["status"] == "failed" else None,
            ]
        )
    numbered = [[names.place(part) for part in (study, preset, protocol_title(protocol), arm)]
                for study, preset, protocol, arm in groups]  # fmt: skip
    data = {
        "metrics": list(METRICS),
        "names": names.values,
        "groups": numbered,
        "members": [[places[key] for key in keys if key in places] for keys in members],
        "cores": cores.values,
        "samplers": samplers.values,
        "environments": environments.values,
        "trials": trials,
    }
    return Trace({key: rows[key] for key in where if key in rows}, groups, data)


def _row(
    trial: dict[str, Any], cells: list[tuple[Group, list[float | None]]], environment: dict[str, Any]
) -> list[str]:
    maes = {group[2]: f"{metrics[METRICS.index('mae')]:.2f}" for group, metrics in cells if metrics}
    several = len(maes) > 1
    return [
        cells[0][0][3],
        str(trial["seed"]),
        set_title(trial["train_set"]),
        trial["status"],
        ", ".join(f"{mae} ({protocol})" if several else mae for protocol, mae in maes.items()),
        "" if trial["seconds"] is None else f"{trial['seconds']:.1f}",
        environment.get("host") or "",
        environment.get("commit") or "",
        trial["error_type"] or "",
    ]


def _sampler(identity: dict[str, Any]) -> dict[str, Any]:
    parts = ("sampler", "parameters", "sampler_source", "data", "core_version", "backbone_weights", "first_weights")
    return {name: identity.get(name) for name in parts}


def _time(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
