"""Errors caused by user input."""


class InputError(ValueError):
    """An error caused by user input: a file, a folder, a key or a value.

    The message is one line that says what is wrong, where, and what would be right. The command line prints it and ends
    with status 2.
    """


class DataSetError(InputError):
    """A prepared data set is missing, damaged or of another version; not the fault of the trial that finds it."""
