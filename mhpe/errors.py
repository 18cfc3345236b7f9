"""The one error a user can mend."""


class InputError(ValueError):
    """Something the user gave is wrong: a file, a folder, a key or a value.

    The message is one line that says what is wrong, where, and what would be right. The command line
    prints it and ends with status 2.
    """
