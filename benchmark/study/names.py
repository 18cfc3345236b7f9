"""Names and counts in text. A name in the store fits its columns, and terminals, pages and files can hold it."""

from collections.abc import Mapping
from typing import Any

from mhpe.errors import InputError
from mhpe.validation import short

LONGEST_NAME = 100  # of a study, a data set, a protocol or a sampler, in bytes: file names of the report begin with it
LONGEST_LABEL = 200  # of an arm, in characters
NOT_IN_FILE_NAMES = '/\\:*?"<>|'


def check_name(text: str, what: str) -> None:
    """Check a name that is stored and that files are named after; ``what`` says in messages what it names."""
    _check_text(text, what)
    if len(text.encode()) > LONGEST_NAME:
        raise InputError(f"{what} {short(text)} is {len(text.encode())} bytes long; at most {LONGEST_NAME} are kept")
    unfit = sorted(set(text) & set(NOT_IN_FILE_NAMES))
    if unfit or text.startswith(".") or text.endswith((".", " ")):
        fault = f"holds {' '.join(unfit)}" if unfit else "begins with a dot, or ends with a dot or a space"
        raise InputError(f"{what} {short(text)} {fault}; files are named after it: use letters, digits, _ and -")


def check_label(text: str, what: str) -> None:
    """Check a text that is stored and shown, such as an arm's label; ``what`` says in messages what it is."""
    _check_text(text, what)
    if len(text) > LONGEST_LABEL:
        raise InputError(f"{what} {short(text)} is {len(text)} characters long; at most {LONGEST_LABEL} are kept")


def _check_text(text: str, what: str) -> None:
    if not text.strip():
        raise InputError(f"{what} is empty; give it at least one letter")
    hidden = next((character for character in text if not character.isprintable()), None)
    if hidden is not None:
        raise InputError(f"{what} {short(text)} holds a control character (U+{ord(hidden):04X}); leave it out")


def counted(count: int, word: str) -> str:
    """A number and its word: "1 seed", "3 seeds"."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def label_of(sampler: str, values: Mapping[str, Any], form: str = "g") -> str:
    """A sampler with its parameters, such as ``gaussian(sigma=30)``; floats are written in this form."""
    items = values.items()
    inner = ", ".join(f"{key}={value:{form}}" if isinstance(value, float) else f"{key}={value}" for key, value in items)
    return f"{sampler}({inner})" if inner else sampler
