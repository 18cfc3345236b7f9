"""The report: tables, figures and a page, rebuilt from the store alone."""

from benchmark.report.build import build_report
from benchmark.report.study_report import StudyReport

__all__ = ["StudyReport", "build_report"]
