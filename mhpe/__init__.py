"""MHPE, Metric Head Pose Estimation: the fixed training core of the benchmark.

A light network learns a head's rotation from one RGB crop by comparing it with K reference images.
This package knows nothing of reference samplers or studies: it asks for reference indices through
:class:`mhpe.train.references.ReferenceSampler` and returns predictions.
"""

CORE_VERSION = 4
"""Part of every trial's identity: raised when a change of this package changes what a training computes."""
