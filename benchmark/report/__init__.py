"""The report: tables, figures and a page, rebuilt from the store alone.

``benchmark.report.build.build_report`` makes it. Nothing here loads PyTorch, and what loads Matplotlib is imported only
to draw.
"""
