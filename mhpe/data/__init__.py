"""Data sets on disk: their original layouts, the crop rule, and the prepared arrays that training reads."""

from mhpe.data.dataset import HeadPoseSet

__all__ = ["HeadPoseSet"]
