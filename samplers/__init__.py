"""Reference samplers: one file per strategy, found by name.

Write a sampler as a subclass of :class:`Sampler` in a file of its own. A file in this folder is found by
itself; one of the user's is named on the command line or in a study.
"""

from samplers.base import Sampler

__all__ = ["Sampler"]
