"""What reports read of searches."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from benchmark.store import schema
from benchmark.store.search_store import Point
from benchmark.store.store import Store


@dataclass(frozen=True)
class StoredSearch:
    """A search as the store has it.

    Attributes:
        key: of the search.
        preset: name of the preset.
        train_set: name of the training set.
        sampler: name of the sampler.
        definition: as :attr:`benchmark.search.search.Search.definition`.
        points: by number.
    """

    key: str
    preset: str
    train_set: str
    sampler: str
    definition: dict[str, Any]
    points: tuple[Point, ...]


def load_searches(store: Store, study: str) -> list[StoredSearch]:
    """The searches of a study; of those that differ only in what is searched, the one begun last."""
    s, p = schema.searches.c, schema.points.c
    with store.reading() as connection:
        rows = connection.execute(sa.select(schema.searches).where(s.study == study).order_by(s.created)).all()
        newest = {(row.preset, row.train_set, row.sampler): row for row in rows}
        fields = [p[name] for name in Point.__dataclass_fields__]
        found = []
        for row in newest.values():
            points = connection.execute(sa.select(*fields).where(p.search == row.key).order_by(p.number))
            own = tuple(Point(*point) for point in points)
            found.append(StoredSearch(row.key, row.preset, row.train_set, row.sampler, row.definition, own))
    return found
