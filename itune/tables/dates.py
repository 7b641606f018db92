"""Dates as values of columns: when they were, in days, and where in a year or a week."""

import calendar
import re
from datetime import datetime

_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?")

MONTHS = tuple(calendar.month_name)[1:]
WEEKDAYS = tuple(calendar.day_name)


def as_date(text: str) -> datetime | None:
    """Return the date, with a time or without, that a text spells in ISO 8601; None if none.

    A zone is left out: it is the date where it was written.

    >>> as_date("2024-02-29 18:30"), as_date("2023-02-29")
    (datetime.datetime(2024, 2, 29, 18, 30), None)
    """
    if not _ISO.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def as_days(text: str) -> float | None:
    """Return the days from the year 1 to a date; None if the text spells none.

    >>> as_days("0001-01-02 12:00")
    1.5
    """
    date = as_date(text)
    return None if date is None else (date - datetime.min).total_seconds() / 86400


def month(text: str) -> int | None:
    """Return the month of a date, 0 to 11; None if the text spells none."""
    date = as_date(text)
    return None if date is None else date.month - 1


def weekday(text: str) -> int | None:
    """Return the day of the week of a date, 0 to 6 from Monday; None if the text spells none."""
    date = as_date(text)
    return None if date is None else date.weekday()
