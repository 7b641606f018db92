"""Describe a table: its sizes, groups, association, lengths and duplicates, with warnings."""

from collections.abc import Callable
from itertools import combinations

import numpy as np

from itune.groups import HIDDEN, Counts, count_groups, group_sizes
from itune.tables.cautions import warnings_of
from itune.tables.description import Description, Lengths, SplitDescription
from itune.tables.table import Table, Tables, hash_texts, problems
from itune.utils.progress import OnProgress, no_progress


def describe_tables(tables: Tables, on_progress: OnProgress = no_progress) -> Description:
    """Describe a table in one pass over its text, with 12 bytes of memory for each row.

    Args:
      tables: The table to describe.
      on_progress: Called with the number of rows read so far.
    """
    splits = tables.splits()
    total, done, scanned = sum(table.size for table in splits.values()), 0, {}
    for name, table in splits.items():
        scanned[name] = _scan(
            table, lambda rows, done=done: on_progress("texts", done + rows, total)
        )
        done += table.size
    described = {name: _describe(table, tables, *scanned[name]) for name, table in splits.items()}
    hashes = {name: np.unique(found) for name, (found, _) in scanned.items()}
    shared = {
        (first, second): int(np.isin(scanned[second][0], hashes[first]).sum())
        for first, second in combinations(splits, 2)
    }
    shared = {pair: count for pair, count in shared.items() if count}
    found = Description(tables.label_names, tables.confound_names, described, shared, ())
    return found._replace(warnings=(*problems(tables), *tables.notes, *warnings_of(found)))


def cramers_v(groups: Counts) -> float | None:
    """Compute Cramér's V, without a correction for few rows; None if label or confound is constant.

    ``V = sqrt((sum n_ij² / (n_i n_j) - 1) / min(rows - 1, columns - 1))``, over the groups that
    have any rows.

    >>> cramers_v(count_groups(np.array([0, 0, 1, 1]), np.array([2, 2, 3, 3])))
    1.0
    """
    labels, label = np.unique(groups.label, return_inverse=True)
    confounds, confound = np.unique(groups.confound, return_inverse=True)
    least = min(len(labels), len(confounds)) - 1
    if least < 1:
        return None
    rows = np.bincount(label, groups.size)[label]
    columns = np.bincount(confound, groups.size)[confound]
    excess = np.sum(groups.size**2 / (rows * columns)) - 1
    return float(np.sqrt(max(excess, 0.0) / least))


def confound_success(
    train: tuple[np.ndarray, np.ndarray], rows: tuple[np.ndarray, np.ndarray]
) -> float:
    """Return the accuracy of predicting the label from the confound alone, from 0 to 1.

    ==============================  ============================================
    confound                        predicted label
    ==============================  ============================================
    known                           its most frequent label in training
    with labels equally frequent    the smallest of them
    not in training                 none, which is wrong
    ==============================  ============================================

    ``train`` and ``rows`` are labels and confounds, two integer arrays of one length, 1 or more.

    >>> train = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0])
    >>> confound_success(train, train)
    0.75
    """
    groups = count_groups(*train)
    order = np.lexsort((groups.label, -groups.size, groups.confound))
    known, first = np.unique(groups.confound[order], return_index=True)
    predicted = groups.label[order][first]
    label, confound = rows
    place = np.minimum(np.searchsorted(known, confound), len(known) - 1)
    return float(np.mean((known[place] == confound) & (predicted[place] == label)))


def _scan(table: Table, progress: Callable[[int], None]) -> tuple[np.ndarray, np.ndarray]:
    """Return a 64-bit hash of each row's text, and its number of words."""
    hashes, words = np.empty(table.size, np.int64), np.zeros(table.size, np.int32)
    start = 0
    for texts in table.batches():
        here = slice(start, start := start + len(texts[0]))
        hashes[here] = hash_texts(texts)
        for column in texts:
            words[here] += np.fromiter((len(text.split()) for text in column), np.int32)
        progress(start)
    return hashes, words


def _describe(
    table: Table, tables: Tables, hashes: np.ndarray, words: np.ndarray
) -> SplitDescription:
    label, confound = _annotated(table)
    can_tell = len(label) and len(_annotated(tables.train)[0])
    return SplitDescription(
        name=table.name,
        is_part_of_train=table is not tables.train and table.columns is tables.train.columns,
        size=table.size,
        labels=_counts(table.label, len(tables.label_names)),
        confounds=_counts(confound, len(tables.confound_names)),
        missing=table.size - len(label),
        groups=group_sizes(label, confound),
        success=confound_success(_annotated(tables.train), (label, confound)) if can_tell else None,
        cramers_v=cramers_v(count_groups(label, confound)),
        lengths=_lengths(words) if len(words) else None,
        duplicates=table.size - len(np.unique(hashes)),
        contradictions=_contradictions(hashes, table.label),
    )


def _contradictions(hashes: np.ndarray, label: np.ndarray) -> int:
    if not len(hashes):
        return 0
    order = np.argsort(hashes)
    starts = np.flatnonzero(np.diff(hashes[order], prepend=hashes[order[0]] - 1))
    least, most = (of.reduceat(label[order], starts) for of in (np.minimum, np.maximum))
    return int(np.sum(least < most))


def _annotated(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and confounds of the rows that have both."""
    is_known = table.confound != HIDDEN
    return table.label[is_known], table.confound[is_known]


def _counts(values: np.ndarray, count: int) -> tuple[int, ...]:
    return tuple(np.bincount(values, minlength=count).tolist())


def _lengths(words: np.ndarray) -> Lengths:
    least, tenth, median, ninetieth, most = np.quantile(words, (0, 0.1, 0.5, 0.9, 1)).tolist()
    return Lengths(int(least), tenth, median, ninetieth, int(most))
