"""Candidates: the features of some rows, and which rows have which, as a sparse matrix."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from itune.discovery.features import GENERATORS
from itune.discovery.features.base import Feature, Found, Rows
from itune.tables.rules import Rule


class Candidates(NamedTuple):
    """Features of N rows.

    Attributes:
      features: The features, C of them.
      rows: Which rows have each, ``(C, N)``, float32 ones.
    """

    features: Sequence[Feature]
    rows: csr_matrix

    def take(self, places: np.ndarray) -> "Candidates":
        """Return the candidates at some places."""
        return Candidates([self.features[place] for place in places], csr_matrix(self.rows[places]))

    def having(self, place: int) -> np.ndarray:
        """Return the ascending indices of the rows that have a feature."""
        return np.sort(self.rows.indices[self.rows.indptr[place] : self.rows.indptr[place + 1]])

    def among(self, rows: np.ndarray) -> csr_matrix:
        """Return which of some rows have each feature, ``(C, n)``."""
        return csr_matrix(self.rows[:, rows])


def gather(found: Iterable[Found], size: int) -> Candidates:
    """Return features and the rows that have them, of ``size`` rows, as candidates."""
    features, having = [], []
    for feature, rows in found:
        features.append(feature)
        having.append(rows.astype(np.int32))
    starts = np.cumsum([0, *map(len, having)])
    places = np.concatenate(having) if having else np.empty(0, np.int32)
    ones = np.ones(len(places), np.float32)
    return Candidates(features, csr_matrix((ones, places, starts), (len(features), size)))


def find_candidates(rows: Rows, minimum: int, exclude: Rule | None = None) -> Candidates:
    """Return the features that enough rows have, and enough lack, by all generators.

    Args:
      rows: Texts and further columns.
      minimum: Rows that must have a feature, and rows that must lack it.
      exclude: Rule that matches words that are no candidates; None excludes nothing.

    Returns:
      The features, and which rows have which.
    """
    found = (
        (feature, having)
        for find in GENERATORS.values()
        for feature, having in find(rows, minimum)
        if not is_named(feature, exclude)
    )
    return gather(found, rows.size)


def by_rule(candidates: Candidates, rows: Rows) -> Candidates:
    """Return candidates with the rows that their settings find in a table.

    Those are what their generators found, and where small letters and capitals are no pairs what
    counts as the same: "strasse" is in rows with "Straße", too.
    """
    found = ((of, np.flatnonzero(of.holds(rows))) for of in candidates.features)
    return gather(found, rows.size)


def is_named(feature: Feature, rule: Rule | None) -> bool:
    """Return whether a rule matches the words of a feature, or its name if it is of no words."""
    return rule is not None and rule.value(feature.surface or feature.name) > 0


class Merged(NamedTuple):
    """Candidates of which no two mean the same rows.

    Attributes:
      places: Places of those that stand for the others, in the order given.
      aliases: Places of the others that mean the same rows, for each.
    """

    places: np.ndarray
    aliases: list[list[int]]


ALIKE = 0.95
"""Correlation of two features, or of one and the lack of the other, from which on they are one."""


def merge(candidates: Candidates, order: np.ndarray, most: int) -> Merged:
    """Go through candidates in an order, and merge those that mean the same rows as one before.

    Two features mean the same rows if the phi coefficient of having them is .95 or more, or -.95 or
    less.

    Args:
      candidates: The candidates.
      order: Their places in the order that they are gone through, ``(n,)``.
      most: Number of different ones that it ends with.

    Returns:
      Those that stand for the others, and these.
    """
    size = candidates.rows.shape[1]
    chosen: list[int] = []
    aliases: list[list[int]] = []
    for place in order.tolist():
        if chosen:
            one, others = (candidates.take(np.array(of)).rows for of in ([place], chosen))
            phi = _phi(one, others, size)
            nearest = int(np.argmax(np.abs(phi)))
            if abs(phi[nearest]) >= ALIKE:
                aliases[nearest].append(place)
                continue
        if len(chosen) == most:
            break
        chosen.append(place)
        aliases.append([])
    return Merged(np.array(chosen, int), aliases)


def _phi(one: csr_matrix, others: csr_matrix, size: int) -> np.ndarray:
    both = np.asarray((others @ one.T).todense(), float)[:, 0]
    share, shares = one.sum() / size, np.asarray(others.sum(axis=1), float)[:, 0] / size
    spread = np.sqrt(share * (1 - share) * shares * (1 - shares))
    return (both / size - share * shares) / np.maximum(spread, 1e-12)
