"""Tables of the results store. Times are Unix seconds; arrays are in NumPy's .npy format."""

from sqlalchemy import JSON, Column, Float, ForeignKey, Integer, LargeBinary, MetaData, String, Table, Text

SCHEMA_VERSION = 1
PROGRAM = "mhpe-bench"
METRICS = (
    "yaw",
    "pitch",
    "roll",
    "mae",
    "left",
    "down",
    "front",
    "maev",
    "geodesic_mean",
    "geodesic_median",
    "aligned_mean",
)
"""Metric columns of an evaluation, degrees."""

tables = MetaData()

meta = Table(
    "meta",
    tables,
    Column("name", String(40), primary_key=True),
    Column("value", String(200), nullable=False),
)

trials = Table(
    "trials",
    tables,
    Column("key", String(20), primary_key=True),
    Column("status", String(10), nullable=False, index=True),  # waiting, running, done or failed
    Column("sampler", String(100), nullable=False),
    Column("seed", Integer, nullable=False),
    Column("train_set", String(100), nullable=False),
    Column("identity", JSON, nullable=False),
    Column("worker", String(200)),
    Column("lease_until", Float),
    Column("started", Float),
    Column("finished", Float),
    Column("seconds", Float),
    Column("parameters", Integer),
    Column("environment", JSON),
    Column("error_type", String(200)),
    Column("error_message", Text),
    Column("traceback", Text),
)

epochs = Table(
    "epochs",
    tables,
    Column("trial", ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("learning_rate", Float, nullable=False),
    Column("images_per_input", Float, nullable=False),
    Column("losses", JSON, nullable=False),
)

weights = Table(
    "weights",
    tables,
    Column("trial", ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    Column("safetensors", LargeBinary, nullable=False),
)

test_sets = Table(
    "test_sets",
    tables,
    Column("fingerprint", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("meta", JSON, nullable=False),
    Column("image_ids", JSON, nullable=False),
    Column("identities", LargeBinary, nullable=False),
    Column("rotations", LargeBinary, nullable=False),
    Column("angles", LargeBinary, nullable=False),
)

evaluations = Table(
    "evaluations",
    tables,
    Column("trial", ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    Column("test_set", ForeignKey("test_sets.fingerprint"), primary_key=True),
    *(Column(metric, Float, nullable=False) for metric in METRICS),
)

predictions = Table(
    "predictions",
    tables,
    Column("trial", ForeignKey("trials.key", ondelete="CASCADE"), primary_key=True),
    Column("test_set", ForeignKey("test_sets.fingerprint"), primary_key=True),
    Column("rotations", LargeBinary, nullable=False),
    Column("strengths", LargeBinary, nullable=False),
)

studies = Table(
    "studies",
    tables,
    Column("name", String(100), primary_key=True),
    Column("definition", JSON, nullable=False),
)

planned = Table(
    "planned",
    tables,
    Column("study", ForeignKey("studies.name", ondelete="CASCADE"), primary_key=True),
    Column("preset", String(40), primary_key=True),
    Column("protocol", String(100), primary_key=True),
    Column("arm", String(200), primary_key=True),
    Column("seed", Integer, primary_key=True),
    Column("position", Integer, nullable=False),  # of the arm in the study
    Column("parameters", JSON, nullable=False),  # of the arm's sampler
    Column("trial", String(20), nullable=False),  # no foreign key: a trial may be deleted, its cell stays
    Column("test_set", String(64), nullable=False),  # fingerprint
)
