"""From a mapping in a file to a checked model, with errors a person can act on."""

import difflib
import reprlib
from collections.abc import Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from mhpe.errors import InputError

Model = TypeVar("Model", bound=BaseModel)

SHORT = 80
"""Characters of a value that a message shows."""


class Section(BaseModel):
    """A section of a configuration: unknown keys are errors, values cannot be changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def short(value: object) -> str:
    """The value as Python writes it, cut where it gets too long to read."""
    writer = reprlib.Repr()  # which never writes out more of a large or deep value than it shows
    writer.maxstring = writer.maxother = SHORT
    text = writer.repr(value)
    return text if len(text) <= SHORT else f"{text[: SHORT - 3]}..."


def nearest(word: str, known: list[str]) -> str:
    """Words for the user who wrote ``word``: the most similar known one, or all of them."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"


def parse(model: type[Model], values: Mapping[str, Any], where: str) -> Model:
    """Build a checked model.

    Args:
        model: the model's class.
        values: its fields.
        where: the file and place the values come from, for the message.

    Raises:
        InputError: naming the first wrong key or value, and what would be right.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise InputError(f"{where}: {explain(error, model)}") from None


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """The first problem of a validation error in one line; an unknown key, which others may follow from, before all."""
    problems = error.errors(include_url=False, include_context=True)
    problem = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return (
            f"unknown key {short(place)}; {nearest(str(problem['loc'][-1]), _known_keys(model, problem['loc'][:-1]))}"
        )
    if problem["type"] == "missing":
        return f"{place} is missing"
    message = problem["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    return f"{place}: {message}, not {short(problem['input'])}" if place else message


def _known_keys(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """Fields of the model that ``path`` leads to, as far as it can be followed."""
    for part in path:
        field = model.model_fields.get(str(part))
        kinds = (field.annotation, *get_args(field.annotation)) if field else ()
        inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if inner is None:
            break
        model = inner
    return list(model.model_fields)
