"""Errors of the results store in one clear line without passwords, and retry of those that are temporary."""

import functools
import logging
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from mhpe.errors import InputError

PATIENCE_SECONDS = 60.0  # how long an operation is tried again when the store does not answer

HINTS = {
    r"readonly|read-only|permission denied": "its file and folder must be writable",
    r"unable to open": "its folder must exist and be writable",
    r"\bfull\b|no space left": "make room; what is finished is stored, and the same command goes on from there",
    r"malformed": "the file is damaged; restore a copy of it or name a new store",
    r"not a database": "name a new store",
    r"locked": "another process writes to it and does not end",
    r"password authentication": "check user and password in the URL",
}
"""What would be right, by words of the database's message."""
LASTING = re.compile(
    r"readonly|read-only|permission denied|\bfull\b|no space left|malformed|not a database|password|no such|syntax"
    r"|too many|number of parameters",
    re.I,
)
"""Words of errors that another try does not change."""

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)


class StoreError(InputError):
    """The store fails; nothing is wrong with the work that needed it."""


class StoreUnavailableError(StoreError):
    """The store does not answer now; it may later."""


class NoStoreError(StoreError):
    """There is no store at this place yet."""


def shown(url: URL) -> str:
    """The URL without its passwords, those among its options included."""
    options = {name: "***" if "pass" in name.lower() else value for name, value in url.query.items()}
    return url.set(query=options).render_as_string(hide_password=True)


@contextmanager
def clear(url: URL) -> Iterator[None]:
    """Turn a database's error into a StoreError of one line; a StoreUnavailableError if trying again may help."""
    try:
        yield
    except DBAPIError as error:
        text = " ".join(str(error.orig).split())
        if url.password:
            text = text.replace(str(url.password), "***")
        hint = next((hint for words, hint in HINTS.items() if re.search(words, text, re.I)), "")
        line = f"store {shown(url)}: {text}" + (f"; {hint}" if hint else "")
        passing = isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
        if passing and not LASTING.search(text):
            raise StoreUnavailableError(line) from None
        raise StoreError(line) from None


def patient(work: Callable[P, T]) -> Callable[P, T]:
    """Decorate an operation on the store that may be done twice: it is tried again while the store does not answer."""

    @functools.wraps(work)
    def tried(*args: P.args, **kwargs: P.kwargs) -> T:
        end, pause = time.monotonic() + PATIENCE_SECONDS, 0.2
        while True:
            try:
                return work(*args, **kwargs)
            except StoreUnavailableError as error:
                if time.monotonic() > end:
                    raise
                if pause == 0.4:  # not at once: processes that make the same new store wait a moment for each other
                    log.warning("%s; trying again for %.0f s", error, PATIENCE_SECONDS)
            time.sleep(random.uniform(0, pause))
            pause = min(5, 2 * pause)

    return tried
