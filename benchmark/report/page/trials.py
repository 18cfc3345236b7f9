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

Group = tuple[str, str, str, str]
"""Study, preset, protocol and arm."""
DECIMALS = 4


@dataclass(frozen=True)
class TrialRow:
    """A trial's row.

    Attributes:
        key: of the trial.
        arm: label of the first arm it belongs to.
        seed: of the trial.
        train_set: title of the training set.
        status: waiting, running, done or failed.
        results: MAE on each protocol, by its name where there are several.
        seconds: of the training.
        host: it ran on.
        commit: of the program.
        error: type of the error.
    """

    key: str
    arm: str
    seed: int
    train_set: str
    status: str
    results: str
    seconds: str
    host: str
    commit: str
    error: str


@dataclass(frozen=True)
class Trace:
    """All trials of the reported studies.

    Attributes:
        rows: in the order of the cells.
        groups: number of each group of trials.
        data: what the script shows of a trial on demand: see :func:`trace`.
    """

    rows: list[TrialRow]
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
    rows: dict[str, TrialRow] = {}
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
    return Trace([rows[key] for key in where if key in rows], groups, data)


def _row(trial: dict[str, Any], cells: list[tuple[Group, list[float | None]]], environment: dict[str, Any]) -> TrialRow:
    by_protocol = {group[2]: metrics[METRICS.index("mae")] for group, metrics in cells if metrics}
    return TrialRow(
        key=trial["key"],
        arm=cells[0][0][3],
        seed=trial["seed"],
        train_set=set_title(trial["train_set"]),
        status=trial["status"],
        results=", ".join(
            f"{mae:.2f}" if len(by_protocol) == 1 else f"{mae:.2f} ({protocol})"
            for protocol, mae in by_protocol.items()
        ),
        seconds="" if trial["seconds"] is None else f"{trial['seconds']:.1f}",
        host=environment.get("host") or "",
        commit=environment.get("commit") or "",
        error=trial["error_type"] or "",
    )


def _sampler(identity: dict[str, Any]) -> dict[str, Any]:
    parts = ("sampler", "parameters", "sampler_source", "data", "core_version", "backbone_weights", "first_weights")
    return {name: identity.get(name) for name in parts}


def _time(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
