"""The benchmark: studies, runner, results store, report and the command line."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("mhpe-bench")
except PackageNotFoundError:  # a checkout that was not installed
    __version__ = "unknown"
