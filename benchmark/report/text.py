"""Numbers and names for display."""

import hashlib
import math
import re

import pandas as pd

from benchmark.study.protocols import described

MINUS = "−"
NOTHING = "–"


def number(value: float, decimals: int = 2) -> str:
    """A number with a true minus sign; a dash where it is missing."""
    if value is None or math.isnan(value):
        return NOTHING
    text = f"{value:.{decimals}f}"
    return text.replace("-", MINUS) if float(text) else text.lstrip("-")


def share(value: float) -> str:
    """A share of 1 in percent, with a decimal where it is small."""
    return NOTHING if math.isnan(value) else f"{number(100 * value, 1 if value < 0.1 else 0)} %"


def signed(value: float, decimals: int = 2) -> str:
    """A difference with its sign."""
    text = number(value, decimals)
    return f"+{text}" if value > 0 and text[0] not in (MINUS, NOTHING) else text


def with_error(mean: float, half_width: float) -> str:
    """Mean and half-width of its interval."""
    return number(mean) if pd.isna(mean) or pd.isna(half_width) else f"{number(mean)} ± {number(half_width)}"


def difference(mean: float, low: float, high: float) -> str:
    """A difference and its interval, if there is one."""
    return signed(mean) if math.isnan(low) else f"{signed(mean)} [{signed(low)}, {signed(high)}]"


def with_interval(value: float, low: float, high: float) -> str:
    """An estimate and its interval, if there is one."""
    return number(value) if math.isnan(low) else f"{number(value)} [{number(low)}, {number(high)}]"


def chances(better: float, equivalent: float, worse: float) -> str:
    """Three probabilities in percent."""
    return NOTHING if math.isnan(better) else " / ".join(f"{100 * share:.0f}" for share in (better, equivalent, worse))


def plain(value: float) -> str:
    """A parameter as it was written: 20, 37.5."""
    return NOTHING if pd.isna(value) else f"{value:g}"


def p_value(value: float) -> str:
    """A p with three decimals."""
    return NOTHING if math.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def duration(seconds: float) -> str:
    """Seconds in the units people use."""
    if math.isnan(seconds):
        return NOTHING
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def protocol_title(name: str) -> str:
    """A protocol's title; the slides' label before it where it is one of theirs."""
    protocol = described(name)
    if protocol is None:
        return name
    return f"{protocol.published} ({protocol.title})" if protocol.published else protocol.title


def synthetic_note(name: str) -> str:
    """Whether a protocol's images are synthetic: "synthetic images", "trained on synthetic images", ... or nothing."""
    notes = {
        (True, True): "synthetic images",
        (True, False): "trained on synthetic images",
        (False, True): "tested on synthetic images",
    }
    protocol = described(name)
    return notes.get(protocol.synthetic, "") if protocol else ""


def slug(name: str) -> str:
    """A study's name as a file name and an address: letters, digits, ``_`` and ``-``; never two studies with one."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", name)
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
