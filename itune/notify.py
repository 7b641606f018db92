"""How long work tells of its progress."""

from collections.abc import Callable

Notify = Callable[[str, int, int], None]
"""Called with the part of the work under way, and how much of it is done, out of about what."""


def ignore(part: str, done: int, total: int) -> None:
    """Tells nobody."""
