"""The report: tables, figures and a page, rebuilt from the store alone."""

from benchmark.report.build import build_report

__all__ = ["build_report"]
