"""Tables of the results store. Times are Unix seconds; arrays are in NumPy's .npy format.

Optuna's tables lie in the same database, hence the names that begin with ``bench_``.
"""

import io
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import JSON, Column, Float, ForeignKey, Integer, LargeBinary, MetaData, String, Table, Text

from benchmark.study.names import LONGEST_LABEL, LONGEST_NAME

VERSION = 1  # of the tables; a store of another one is refused
PROGRAM = "mhpe-bench"
EULER, VECTORS = ("yaw", "pitch", "roll", "mae"), ("left", "down", "front", "maev")
METRICS = (*EULER, *VECTORS, "geodesic_mean", "geodesic_median", "aligned_mean")  # columns of an evaluation, degrees

tables = MetaData()

meta = Table(
    "bench_meta", tables, Column("name", String(40), primary_key=True), Column("value", String(200), nullable=False)
)

trials = Table(
    "bench_trials",
    tables,
    Column("key", String(20), primary_key=True),
    Column("status", String(10), nullable=False, index=True),  # waiting, running, done or failed
    Column("sampler", String(LONGEST_NAME), nullable=False),
    Column("seed", Integer, nullable=False),
    Column("train_set", String(LONGEST_NAME), nullable=False),
    Column("identity", JSON, nullable=False),
    Column("worker", String(200)),
    Column("lease_until", Float),
    Column("lease_seconds", Float),
    Column("started", Float),
    Column("finished", Float),
    Column("seconds", Float),
    Column("parameters", Integer),
    Column("environment", JSON(none_as_null=True)),
    Column("diagnostics", JSON(none_as_null=True)),  # of its draws, see DrawStatistics.summary
    Column("error_type", String(200)),
    Column("error_message", Text),
    Column("traceback", Text),
)

epochs = Table(
    "bench_epochs",
    tables,
    Column("trial", ForeignKey("bench_trials.key", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("learning_rate", Float, nullable=False),
    Column("images_per_input", Float, nullable=False),
    Column("losses", JSON, nullable=False),
)

weights = Table(
    "bench_weights",
    tables,
    Column("trial", ForeignKey("bench_trials.key", ondelete="CASCADE"), primary_key=True),
    Column("safetensors", LargeBinary, nullable=False),
)

test_sets = Table(
    "bench_test_sets",
    tables,
    Column("fingerprint", String(64), primary_key=True),
    Column("name", String(LONGEST_NAME), nullable=False),
    Column("meta", JSON, nullable=False),
    Column("image_ids", JSON, nullable=False),
    Column("identities", LargeBinary, nullable=False),
    Column("rotations", LargeBinary, nullable=False),
    Column("angles", LargeBinary, nullable=False),
)

evaluations = Table(
    "bench_evaluations",
    tables,
    Column("trial", ForeignKey("bench_trials.key", ondelete="CASCADE"), primary_key=True),
    Column("test_set", ForeignKey("bench_test_sets.fingerprint"), primary_key=True),
    *(Column(metric, Float, nullable=False) for metric in METRICS),
)

predictions = Table(
    "bench_predictions",
    tables,
    Column("trial", ForeignKey("bench_trials.key", ondelete="CASCADE"), primary_key=True),
    Column("test_set", ForeignKey("bench_test_sets.fingerprint"), primary_key=True),
    Column("rotations", LargeBinary, nullable=False),
    Column("strengths", LargeBinary, nullable=False),
)

studies = Table(
    "bench_studies",
    tables,
    Column("name", String(LONGEST_NAME), primary_key=True),
    Column("definition", JSON, nullable=False),
)

planned = Table(
    "bench_planned",
    tables,
    Column("study", ForeignKey("bench_studies.name", ondelete="CASCADE"), primary_key=True),
    Column("preset", String(40), primary_key=True),
    Column("protocol", String(LONGEST_NAME), primary_key=True),
    Column("arm", String(LONGEST_LABEL), primary_key=True),
    Column("seed", Integer, primary_key=True),
    Column("position", Integer, nullable=False),  # of the arm in the study
    Column("parameters", JSON, nullable=False),  # of the arm's sampler
    Column("trial", String(20), nullable=False, index=True),  # no foreign key: a trial may be deleted, its cell stays
    Column("test_set", String(64), nullable=False),  # fingerprint
)


def to_bytes(array: NDArray[Any]) -> bytes:
    """The array as a column holds it; a ValueError for objects, which would be pickled."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def from_bytes(content: bytes, kind: str, *size: int) -> NDArray[Any]:
    """The array that a column holds: N finite numbers, or N arrays of a ``size``; a ValueError for anything else.

    Their ``kind`` is ``f`` for floats, ``i`` for whole numbers. NaN throughout stands for what a head does not predict,
    as plain heads have no concentration.
    """
    try:
        head = content[: 10 + int.from_bytes(content[8:10], "little")]
        shape, _, dtype = _head(head)
        array: NDArray[Any] = np.frombuffer(content, dtype, offset=len(head)).reshape(shape)
    except Exception as error:  # the header is parsed as Python, which can fail in any way
        raise ValueError(" ".join(f"no .npy array: {error}".split())) from None
    if array.ndim != 1 + len(size) or array.shape[1:] != size or array.dtype.kind != kind:
        raise ValueError(f"an array of {array.dtype} and shape {array.shape}")
    if not (np.isfinite(array).all() or np.isnan(array).all()):
        raise ValueError("numbers that are not finite")
    return array


@lru_cache  # arrays of a test set have the same, which takes longer to parse than to read all numbers
def _head(head: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether columns come first, and type of the numbers of an array, from the head of an .npy file."""
    file = io.BytesIO(head)
    np.lib.format.read_magic(file)
    return np.lib.format.read_array_header_1_0(file)
