"""The report: tables, figures and a page, rebuilt from the store alone."""

import os
import sys

if "matplotlib" not in sys.modules:  # whatever a notebook set: figures are files, and need no other backend
    os.environ["MPLBACKEND"] = "Agg"

from benchmark.report.build import build_report
from benchmark.report.study_report import StudyReport

__all__ = ["StudyReport", "build_report"]
