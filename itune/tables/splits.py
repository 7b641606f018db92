"""The splits of a data set, and which of the parts that were found are meant by each."""

import re
from collections.abc import Collection, Sequence
from pathlib import PurePath

from itune.errors import UserError, option
from itune.tables.readers import READERS

SPLITS = ("train", "dev", "test")
"""Names of the parts that each data set is split into, in order."""

AUTO, LEFT_OUT = "auto", "none"
"""Settings of dev and test: what the data set has, or a part of train whatever it has."""

_ALIASES = {"train": ("train",), "dev": ("dev", "validation", "valid", "val"), "test": ("test",)}
_LIKE = {
    "train": {*_ALIASES["train"], "training"},
    "dev": {*_ALIASES["dev"], "development", "eval"},
    "test": {*_ALIASES["test"], "testing"},
}
_LISTED = 8


def split_called(part: str) -> str | None:
    """Return which of train, dev and test a part of a data set, or a file, is called; else None.

    >>> split_called("Validation"), split_called("data/test.csv"), split_called("test2")
    ('dev', 'test', None)
    """
    name = stem(part.lower())
    return next((split for split in SPLITS if name in _ALIASES[split]), None)


def stem(part: str) -> str:
    """Return the name of a part without its folder, the ending of a table, and its shards."""
    path = PurePath(part)
    name = path.stem if path.suffix.lower() in READERS else path.name
    return re.sub(r"-\*-of-\d+$", "", name)


def is_like(part: str, split: str) -> bool:
    """Return whether a part that is called none of the splits may be meant as one of them."""
    words = re.findall("[a-z]+", PurePath(part.lower()).name)
    return split_called(part) is None and not _LIKE[split].isdisjoint(words)


def pick_split(parts: Sequence[str], split: str, where: str) -> str | None:
    """Return which of the parts of a data set is meant by train, dev or test; None if none is.

    Raises:
      UserError: Several parts may be meant, or one that is called something like it.
    """
    found = [part for part in parts if split_called(part) == split]
    if len(found) == 1:
        return found[0]
    if not (found := found or [part for part in parts if is_like(part, split)]):
        return None
    which = f"{where}: {listed(found)} may be {split}"
    if split == "train":
        raise UserError(f"{which}, of {listed(parts)}; name one, or call one train and no other")
    raise UserError(
        f"{which}, of {listed(parts)}; give {option(split)} one of them, or "
        f"{option(split, LEFT_OUT)} for a part of train"
    )


def listed(parts: Collection[str]) -> str:
    """Return names for a sentence; of many the first, and the number of the others."""
    first = list(parts)[:_LISTED]
    more = len(parts) - len(first)
    return ", ".join([*first, *([f"{more} more"] if more else [])])
