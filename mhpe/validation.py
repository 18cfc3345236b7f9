"""From a mapping in a file to a checked model, with errors that a person can act on."""

import difflib
import re
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from mhpe.errors import InputError

Model = TypeVar("Model", bound=BaseModel)

SHORT = 80


KINDS = ("int", "float", "str", "bool")  # what pydantic adds to a place whose value may be of several kinds


class Section(BaseModel):
    """A section of a configuration: unknown keys are errors, values cannot be changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false where a number is wanted, which would be 1 and 0."""
        values = value if isinstance(value, list | tuple) else (value,)
        kinds = _kinds(cls.model_fields[str(info.field_name)].annotation)
        if any(isinstance(each, bool) for each in values) and kinds & {int, float} and bool not in kinds:
            raise ValueError(f"a number{' or a text' if str in kinds else ''} is wanted")
        return value


def _kinds(annotation: Any) -> set[Any]:
    """The types in an annotation."""
    return {annotation}.union(*map(_kinds, get_args(annotation)))


def short(value: object) -> str:
    """The value as Python writes it, cut where it gets too long to read."""
    writer = reprlib.Repr()  # which never writes out more of a large or deep value than it shows
    writer.maxstring = writer.maxother = SHORT
    text = writer.repr(value)
    return text if len(text) <= SHORT else f"{text[: SHORT - 3]}..."


def nearest(word: str, known: list[str]) -> str:
    """Advice for the user who wrote ``word``: the most similar known one, or all of them."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"


def read_text(path: Path, what: str) -> str:
    """Text of a file of the user's; ``what`` it is, for messages.

    Raises:
        InputError: if it cannot be read, or is not text in UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: this {what} is not text in UTF-8; save it in that encoding") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot read this {what}: {getattr(error, 'strerror', None) or error}") from None


def parse(model: type[Model], values: Mapping[str, Any], where: str) -> Model:
    """A checked model of its fields; ``where`` names the file and place that they come from.

    Raises:
        InputError: naming the first wrong key or value, and what would be right.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise InputError(f"{where}: {explain(error, model)}") from None


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """The first problem of a validation error in one line; an unknown key comes first, as others may follow from it."""
    problems = error.errors(include_url=False, include_context=True)
    problem = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    place = ".".join(str(part) for part in problem["loc"] if part not in KINDS)
    if problem["type"] == "extra_forbidden":
        return (
            f"unknown key {short(place)}; {nearest(str(problem['loc'][-1]), _known_keys(model, problem['loc'][:-1]))}"
        )
    if problem["type"] == "missing":
        return f"{place} is missing"
    message = problem["msg"].removeprefix("Value error, ").replace("Input should", "must")
    message = re.sub(" or instance of [A-Za-z]+| after validation, not [0-9]+", "", message)
    message = message[0].lower() + message[1:]
    for ours, in_yaml in {"tuple": "list", "dictionary": "mapping (name: value)"}.items():
        message = message.replace(ours, in_yaml)
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
