"""Errors of the results store."""

from mhpe.errors import InputError


class StoreError(InputError):
    """The store fails; nothing is wrong with the work that needed it."""


class StoreUnavailableError(StoreError):
    """The store does not answer now; it may later."""
