"""The results store: trials, evaluations, predictions and studies in one SQL database."""

from benchmark.store.store import Store

__all__ = ["Store"]
