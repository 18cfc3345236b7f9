"""From an older schema to the present one, a version at a time; rows are kept."""

from collections.abc import Callable

import sqlalchemy as sa

from benchmark.store import schema


def _to_2(connection: sa.Connection) -> None:
    """Trials keep diagnostics of their sampler."""
    connection.execute(sa.DDL("ALTER TABLE trials ADD COLUMN diagnostics JSON"))


def _to_3(connection: sa.Connection) -> None:
    """Searches; names begin with ``bench_``, as Optuna's tables are called ``studies`` and ``trials``, too."""
    present = sa.inspect(connection).get_table_names()
    for name in (name for name in VERSION_2 if name in present):
        connection.execute(sa.DDL(f"ALTER TABLE {name} RENAME TO bench_{name}"))
        if connection.dialect.name == "postgresql":
            connection.execute(sa.DDL(f"ALTER INDEX {name}_pkey RENAME TO bench_{name}_pkey"))
    connection.execute(sa.DDL("DROP INDEX ix_trials_status"))
    connection.execute(sa.DDL("CREATE INDEX ix_bench_trials_status ON bench_trials (status)"))
    schema.tables.create_all(connection, [schema.searches, schema.points, schema.locks])


VERSION_2 = ("meta", "studies", "planned", "test_sets", "trials", "epochs", "weights", "evaluations", "predictions")
"""Tables up to version 2."""
STEPS: dict[int, Callable[[sa.Connection], None]] = {2: _to_2, 3: _to_3}
"""What leads to a version from the one before."""


def migrate(connection: sa.Connection, found: int) -> None:
    """Bring a store from the version ``found`` to the present one, inside the caller's transaction."""
    for version in range(found + 1, schema.SCHEMA_VERSION + 1):
        STEPS[version](connection)
    connection.execute(
        sa.update(schema.meta).where(schema.meta.c.name == "schema_version").values(value=str(schema.SCHEMA_VERSION))
    )
