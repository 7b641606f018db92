"""Memory that was freed, and that the C library keeps from the system."""

import ctypes


def return_freed_memory() -> None:
    """Give it back: glibc keeps gigabytes of what compilers and evaluations have freed in pieces.

    Does nothing where the C library is another.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, TypeError):  # not glibc; Windows
        return
    trim(0)
