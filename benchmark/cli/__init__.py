"""The command line: one verb a job."""

from benchmark.cli.main import main

__all__ = ["main"]
