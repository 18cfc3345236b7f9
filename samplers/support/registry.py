"""Samplers by name: the built-in ones, installed plugins, and files that the user names."""

import hashlib
import importlib
import inspect
import io
import pkgutil
import re
import sys
import traceback
from collections.abc import Iterable, Mapping
from contextlib import redirect_stderr
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import samplers
from mhpe.errors import InputError
from mhpe.validation import nearest, parse, read_text, short
from samplers.base import Sampler
from samplers.super_fibonacci import SuperFibonacci
from samplers.support.source_digest import TEXT
from samplers.yaw_bins import YawBinSampler

ENTRY_POINTS = "mhpe_bench.samplers"
"""Entry point group of installed plugins; each entry is a module that defines samplers."""
NAME = re.compile(r"\w[\w.-]{0,99}")  # a sampler's name: it is a column of the store and part of file names

MOST_GROUPS = 10_000  # of yaw bins or anchors: the distances between them take 400 MB
METHODS = {
    "fit": ("poses", "progress"),
    "draw": ("query", "k", "generator"),
    "observe": ("query", "drawn", "distances", "losses", "images", "embeddings"),
    "state": (),
    "load_state": ("state",),
}
"""A sampler's methods, and what they are called with, by position."""


class Registry:
    """All samplers that can be named: the built-in ones, installed plugins, and those of the user's files.

    Attributes:
        classes: sampler classes by name.
        files: the user's file that defines a sampler, by its name; none for other samplers.
        broken: installed plugins that cannot be used, with the reason; the others still work.

    Raises:
        InputError: if a file is missing, fails to import, defines no sampler, or one of a name that is taken.
    """

    def __init__(self, files: Iterable[Path] = ()) -> None:
        self.classes: dict[str, type[Sampler]] = {}
        self.broken: dict[str, str] = {}
        self.files: dict[str, Path] = {}
        for module in _built_in_modules():
            self._add(module, module.__name__)
        for entry in entry_points(group=ENTRY_POINTS):
            try:
                if not self._add(entry.load(), entry.value):
                    self.broken[entry.value] = "it is no module that defines a sampler"
            except InputError as error:
                self.broken[entry.value] = str(error)
            except (Exception, SystemExit) as error:  # whatever a plugin's import raises
                self.broken[entry.value] = in_one_line(error)
        for path in {path.resolve(): path for path in files}.values():
            module = load_source(read_text(path, "sampler file"), path)
            names = self._add(module, str(path))
            self.files |= dict.fromkeys(names, path)
            if not names:
                raise InputError(f"{path}: defines no sampler{_what_is_missing(module)}")

    def _add(self, module: ModuleType, place: str) -> list[str]:
        found: dict[str, type[Sampler]] = {}
        for cls in sampler_classes(module):
            if not (isinstance(cls.name, str) and NAME.fullmatch(cls.name)):
                raise InputError(
                    f"{place}: class {cls.__name__}: name must be text of at most 100 letters, digits, _, - and ., "
                    f"not {short(cls.name)}"
                )
            _check_methods(cls, place)
            other = (self.classes | found).get(cls.name, cls)
            if other is not cls:
                taken = f"{other.__module__} has a sampler {cls.name!r} already"
                raise InputError(f"{place}: {taken}; class {cls.__name__} needs another name")
            found[cls.name] = cls
        self.classes |= found
        return list(found)

    def find(self, name: str, where: str = "") -> type[Sampler]:
        """The sampler class of a name; an InputError, which begins with the place ``where``, if there is none."""
        if name not in self.classes:
            broken = "".join(f"; {module} cannot be used: {reason}" for module, reason in self.broken.items())
            place = f"{where}: " if where else ""
            known = nearest(name, sorted(self.classes))
            own = "" if self.files else " (one of your own needs --sampler-file or sampler_files)"
            raise InputError(f"{place}no sampler {name!r}; {known}{own}{broken}")
        return self.classes[name]

    def build(self, name: str, parameters: Mapping[str, Any], where: str) -> Sampler:
        """A sampler with its parameters; an InputError for an unknown name or parameter, or a wrong value."""
        cls = self.find(name, where)
        try:
            sampler = parse(cls, parameters, where)
            _check_size(sampler, where)
            return sampler
        except InputError:
            raise
        except (Exception, SystemExit) as error:  # whatever a user's class raises
            raise InputError(f"{where}: {name} cannot be built: {in_one_line(error, self.files.get(name))}") from error


def _check_size(sampler: Sampler, where: str) -> None:
    """Refuse more groups of images than memory holds a matrix of distances for.

    A limit in the samplers' own fields would change the digests of stored results.
    """
    groups = {
        "bin_width": 360 / sampler.bin_width if isinstance(sampler, YawBinSampler) else 0,
        "anchors": sampler.anchors if isinstance(sampler, SuperFibonacci) else 0,
    }
    for field, count in groups.items():
        if count > MOST_GROUPS:
            raise InputError(f"{where}: {field} makes {count:,.0f} groups of images; at most {MOST_GROUPS:,} fit")


def _check_methods(cls: type[Sampler], place: str) -> None:
    """Refuse a class whose methods cannot be called as a training calls them."""
    for method, arguments in METHODS.items():
        if function := getattr(cls, method, None):
            try:
                inspect.signature(function).bind("self", *arguments)
            except (TypeError, ValueError):
                call = f"{method}(self, {', '.join(arguments)})"
                raise InputError(f"{place}: class {cls.__name__}: {method} must take the arguments of {call}") from None


def sampler_classes(module: ModuleType) -> list[type[Sampler]]:
    """The samplers that a module defines itself: named, not abstract."""
    return [cls for cls in _subclasses(module) if not inspect.isabstract(cls) and hasattr(cls, "name")]


def _subclasses(module: ModuleType) -> list[type[Sampler]]:
    """Subclasses of Sampler that a module defines itself."""
    classes = [each for each in vars(module).values() if inspect.isclass(each) and issubclass(each, Sampler)]
    return [cls for cls in classes if cls.__module__ == module.__name__]


def _what_is_missing(module: ModuleType) -> str:
    """Why a module's subclasses of Sampler are not complete samplers."""
    for cls in _subclasses(module):
        if inspect.isabstract(cls):
            return f": class {cls.__name__} needs {', '.join(sorted(cls.__abstractmethods__))}()"
        return f': class {cls.__name__} needs a name; name = "{cls.__name__.lower()}" would be one'
    return "; it needs a subclass of samplers.Sampler with a name"


@cache
def _built_in_modules() -> list[ModuleType]:
    return [importlib.import_module(f"samplers.{info.name}") for info in pkgutil.iter_modules(samplers.__path__)]


def load_source(source: str, path: Path) -> ModuleType:
    """Import the source of a sampler file, which a worker on another machine need not have.

    Raises:
        InputError: if the import fails.
    """
    name = f"sampler_file_{path.stem}_{hashlib.sha256(f'{path}{source}'.encode()).hexdigest()[:8]}"
    module = ModuleType(name)
    module.__file__ = str(path)
    setattr(module, TEXT, source)
    sys.modules[name] = module
    said = io.StringIO()  # argparse, for example, writes before it exits
    try:
        with redirect_stderr(said):
            exec(compile(source, str(path), "exec"), vars(module))
    except (Exception, SystemExit) as error:  # whatever the user's file raises
        del sys.modules[name]
        raise InputError(f"{path}: import failed with {in_one_line(error, path)}") from error
    sys.stderr.write(said.getvalue())
    return module


def source_file(cls: type[Sampler]) -> Path | None:
    """The file that a sampler class was read from, if any."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return None if file is None else Path(file)


def in_one_line(error: BaseException, file: Path | None = None) -> str:
    """Text of a user's error, such as ``KeyError: 'missing' (raises.py, line 9)``: the last line that ran."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
    if isinstance(error, TypeError) and "Sampler.fit() missing" in text:
        text += "; call super().fit(poses, progress)"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return f"{text} ({file.name}, line {lines[-1]})" if file and lines else text
