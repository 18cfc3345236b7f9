"""Published results: the slides' tables, what is wrong in them, and results of other methods."""

from benchmark.report.published.peers import peers
from benchmark.report.published.slides import SLIDES_STUDIES, THESIS_NOTE, audit, beside_ours, slides, thesis_text

__all__ = ["SLIDES_STUDIES", "THESIS_NOTE", "audit", "beside_ours", "peers", "slides", "thesis_text"]
