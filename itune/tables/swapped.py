"""Texts of a split that are given another confound, as a counterfactual test needs them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from itune.groups import draw_by_group
from itune.tables.swaps import Swaps, make_swaps
from itune.tables.table import Table, Tables

SEARCHED = 2000
"""Training texts that are searched for words to put in."""

NAMED = 5
"""Words without partner that are named."""


@dataclass(frozen=True)
class SwappedTexts:
    """Rows of a split with their own texts, and with texts that have another confound.

    Attributes:
      split: Name of the split.
      before: The rows, in order, with their own texts.
      column: Number of the text that has the confound: 0, or 1 for the second of a pair.
      texts: The new text of each row.
      targets: Number of the confound that was put in, of each row.
      unpaired: Number of further rows that were not swapped, since one of their words has no
        partner in the list of another confound.
      unpaired_words: Some of these words.
    """

    split: str
    before: Table
    column: int
    texts: tuple[str, ...]
    targets: tuple[int, ...]
    unpaired: int
    unpaired_words: tuple[str, ...]

    @property
    def after(self) -> Table:
        """The rows with their new texts."""
        return self.before.with_texts(self.column, self.texts)

    def take(self, places: np.ndarray) -> "SwappedTexts":
        """Return some of the rows, at ascending places."""
        texts, targets = (tuple(of[i] for i in places) for of in (self.texts, self.targets))
        return replace(self, before=self.before.take(places), texts=texts, targets=targets)


def swap_texts(
    tables: Tables, size: int, rng: np.random.Generator, *, is_drawn: bool = False
) -> SwappedTexts | None:
    """Give texts of test, or else of dev or train, another confound and change nothing else.

    Args:
      tables: The table.
      size: Largest number of texts.
      rng: Draws the texts, among those that can be given another confound, and the confound.
      is_drawn: Whether a word without partner is replaced by one that is drawn.

    Returns:
      The texts, none of them if each lacks a partner for a word; None if neither a rule over words
      nor a task gives the confound, or no text has a confound that can be another.
    """
    train, column = tables.train, tables.rule_on
    some = draw_by_group(train.label, train.confound, SEARCHED, rng)
    swaps = make_swaps(tables, (train.texts(row)[column] for row in some), is_drawn=is_drawn)
    if swaps is None:
        return None
    split = next(name for name in ("test", "dev", "train") if tables.splits()[name].size)
    table = tables.splits()[split]
    found, unpaired, words = {}, 0, {}
    for row, targets in _swappable(swaps, table, rng):
        text = table.texts(row)[column]
        alone = {target: swaps.without_partner(text, target) for target in targets}
        if all(alone.values()):
            unpaired += 1
            words |= dict.fromkeys(word.lower() for of in alone.values() for word in of)
            continue
        target = int(rng.choice([c for c, of in alone.items() if not of]))
        new = swaps.swapped(text, target, rng)
        if new is not None:
            found[row] = new, target
        if len(found) == size:
            break
    if not found and not unpaired:
        return None
    rows = sorted(found)
    texts, targets = (tuple(found[row][part] for row in rows) for part in (0, 1))
    before = table.take(np.array(rows, int))
    return SwappedTexts(split, before, column, texts, targets, unpaired, tuple(words)[:NAMED])


def _swappable(
    swaps: Swaps, table: Table, rng: np.random.Generator
) -> Iterator[tuple[int, list[int]]]:
    """Yield rows at random among those that can be given another confound, and which."""
    targets = {value: swaps.targets(value) for value in np.unique(table.confound).tolist()}
    possible = np.isin(table.confound, [value for value, of in targets.items() if of])
    for row in rng.permutation(np.flatnonzero(possible)).tolist():
        yield row, targets[int(table.confound[row])]
