"""The one exception a person is meant to read."""


class UserError(Exception):
    """Something the caller can mend: one line saying what is wrong, where, and what to do.

    Command lines print it as ``error: …`` and exit with status 2; a traceback is for our own bugs.
    """
