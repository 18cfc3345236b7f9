"""The page: one self-contained file that a person can read."""

from benchmark.report.page.render import render_page

__all__ = ["render_page"]
