"""The store of a study that runs."""

from benchmark.store.leasing import Leasing
from benchmark.store.outcomes import Outcomes
from benchmark.store.plans import Plans


class Store(Plans, Leasing, Outcomes):
    """A results store. Work of a running study is tried again for a minute while the database does not answer.

    Labels, predictions and histories, which only reports need, are read by :mod:`benchmark.store.reading`.
    """
