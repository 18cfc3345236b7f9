"""What in the slides does not hold: formulas, worked examples, and rows that contradict each other."""

import math
from collections.abc import Iterator

import pandas as pd

from benchmark.report.published.slides import EULER, slides

FORMULAS = (
    (
        "equation 1",
        "a square root whose gradient is infinite where input and reference agree",
        "a small constant under the root",
    ),
    (
        "equation 5",
        "orthogonality of the ground truth's columns, which is always 0",
        "of the predicted raw matrix's columns",
    ),
    ("equation 6", "‖Z Zᵀ − I₃‖: an m × m matrix minus a 3 × 3 one", "‖Zᵀ Z − I₃‖²"),
    ("equation 7", "−log c(F) + tr(Fᵀ R): the sign of a likelihood, not of a loss", "log c(F) − tr(Fᵀ R)"),
)
"""Place, what is printed, what is used here."""


def audit() -> pd.DataFrame:
    """Every finding: ``place`` in the slides, what is ``printed``, and what is ``right`` (or used here)."""
    findings = [*FORMULAS, *_worked_examples(), *_rows_that_differ(), *_claim()]
    return pd.DataFrame(findings, columns=["place", "printed", "right"])


def _worked_examples() -> Iterator[tuple[str, str, str]]:
    def weight(distance: float) -> float:
        return math.exp(-(distance**2) / (2 * 30**2))

    near, far = weight(20), weight(40)
    yield "Gaussian example, weight at 40 degrees", "0.367", f"exp(−40² / (2 · 30²)) = {far:.3f}"
    total = 1 + 2 * near + 2 * far
    exact = [f"{10 * share / total:.2f}" for share in (1, near, far)]
    yield (
        "Gaussian example, references of the five bins",
        f"3, 2, 2, 1, 1: together {3 + 2 + 2 + 1 + 1} of K = 10",
        f"shares of {exact[0]}, twice {exact[1]}, twice {exact[2]}; the largest remainders get what rounding leaves",
    )
    yield (
        "inverse Gaussian example, weights at 20 and 40 degrees",
        "1.56 and 5.93: exp(d² / σ²), the factor 2 of the formula is lost",
        f"exp(d² / (2 σ²)) = {1 / near:.2f} and {1 / far:.2f}",
    )
    yield (
        "both examples",
        "5 bins of 20 degrees",
        f"{360 // 20} bins; the inverse weights of the 13 left out are the largest",
    )


def _rows_that_differ() -> Iterator[tuple[str, str, str]]:
    """Rows of the conclusion that repeat a row of an earlier table with other numbers."""
    rows = slides()
    keys = ["sampler", "bin_width", "sigma", "protocol"]
    earlier = rows[~rows["table"].isin(("thesis", "conclusion")) & rows["sampler"].notna()].drop_duplicates(keys)
    conclusion = rows[(rows["table"] == "conclusion") & rows["sampler"].notna()]
    both = conclusion.merge(earlier, on=keys, suffixes=("", "_earlier"))
    for row in both.to_dict("records"):
        changed = [name for name in (*EULER, "mae") if row[name] != row[f"{name}_earlier"]]
        if changed:
            details = ", ".join(_named(name, row[name]) for name in changed)
            before = ", ".join(_named(name, row[f"{name}_earlier"]) for name in changed)
            yield f"conclusion, {row['result']}, {row['protocol']}", details, f"its own table has {before}"


def _named(name: str, value: float) -> str:
    return f"{'MAE' if name == 'mae' else name} {value:.2f}"


def _claim() -> Iterator[tuple[str, str, str]]:
    rows = slides("gaussian_sigma")
    gains = []
    for protocol in ("Protocol 1", "Protocol 2"):
        of_protocol = rows[rows["protocol"] == protocol]
        random = of_protocol.loc[of_protocol["sampler"] == "random", "recomputed"].item()
        gaussian = of_protocol.loc[of_protocol["sigma"] == 30, "recomputed"].item()
        gains.append(f"{random - gaussian:.2f} degrees on {protocol}")
    yield (
        "conclusion",
        "the Gaussian (σ = 30) is a significant improvement over random references",
        f"{' and '.join(gains)} by the recomputed means; one training each, no interval",
    )
    facts = slides()
    wrong = int((~facts["consistent"]).sum())
    distinct = facts.drop_duplicates(["protocol", *EULER, "mae"])
    wrong_distinct = int((~distinct["consistent"]).sum())
    yield (
        "all tables",
        f"{wrong} of {len(facts)} printed MAE are not the mean of their own columns within rounding "
        f"({wrong_distinct} of the {len(distinct)} distinct rows)",
        "recomputed beside each row",
    )
