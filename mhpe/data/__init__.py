"""Data sets: their original layouts, the crop rule, and the prepared arrays that training reads."""

from mhpe.data.catalog import SOURCES, prepared, source
from mhpe.data.dataset import HeadPoseSet

__all__ = ["SOURCES", "HeadPoseSet", "prepared", "source"]
