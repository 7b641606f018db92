"""Describe a table: its sizes, groups, association, lengths and duplicates, with warnings."""

from collections.abc import Callable, Iterable
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from itune.groups import HIDDEN, Counts, Group, count_groups
from itune.tables.table import Table, Tables, hash_texts, problems
from itune.utils.json import to_jsonable
from itune.utils.notebook import html_of
from itune.utils.progress import OnProgress, no_progress

TINY = (2, 20)
"""A group with fewer rows than the first number has no partners; than the second, few."""

MANY_LABELS = 20
"""With more labels than this, and few rows of each, the wrong column may have been named."""

LIKE_MISSING = ("NA", "N/A", "n/a", "#N/A", "<NA>", "null", "NULL", "None")
"""Values that other programs write where a value is missing."""

SHOWN = 3
"""Number of groups that a warning names; the others are only counted."""

SKEWED = 0.1
"""Gain in accuracy by the confound from which a warning is given."""


class Lengths(NamedTuple):
    """Quantiles of the number of words of a row, split at white space; a pair counts as one text.

    Attributes:
      least: The smallest number of words.
      tenth: The 10% quantile.
      median: The median.
      ninetieth: The 90% quantile.
      most: The largest number of words.
    """

    least: int
    tenth: float
    median: float
    ninetieth: float
    most: int


class SplitDescription(NamedTuple):
    """Description of one split.

    Attributes:
      name: Name of the file or object that the rows come from.
      size: Number of rows.
      labels: Number of rows of each label, by the label's number.
      confounds: Number of rows of each confound, by the confound's number.
      missing: Number of rows whose confound is not annotated.
      groups: Number of annotated rows of each group that has any, in order of the groups.
      success: Accuracy of predicting the label from the confound alone, learnt in train, from 0 to
        1; None if no row is annotated.
      cramers_v: Association of label and confound, from 0 to 1; None if either is constant.
      lengths: Quantiles of the number of words of a row; None if there is no row.
      duplicates: Number of rows whose text stands in an earlier row of the split.
      contradictions: Number of texts that stand in the split with more than one label.
    """

    name: str
    size: int
    labels: tuple[int, ...]
    confounds: tuple[int, ...]
    missing: int
    groups: dict[Group, int]
    success: float | None
    cramers_v: float | None
    lengths: Lengths | None
    duplicates: int
    contradictions: int


class Description(NamedTuple):
    """Description of a table.

    Attributes:
      label_names: Names of the labels, by number.
      confound_names: Names of the confounds, by number.
      splits: Descriptions of train, dev and test, by the name of the split.
      shared: Number of rows of the second split whose text stands in the first, by the names of the
        two; pairs of splits without such rows are left out.
      warnings: Problems of the table, one sentence each.
    """

    label_names: tuple[str, ...]
    confound_names: tuple[str, ...]
    splits: dict[str, SplitDescription]
    shared: dict[tuple[str, str], int]
    warnings: tuple[str, ...]

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the groups, one dict each: label, confound, and number of rows in each split."""
        groups = sorted(set().union(*(split.groups for split in self.splits.values())))
        return [
            {
                "label": self.label_names[group.label],
                "confound": self.confound_names[group.confound],
                **{name: split.groups.get(group, 0) for name, split in self.splits.items()},
            }
            for group in groups
        ]

    def _repr_html_(self) -> str:
        return html_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it, with labels, confounds and groups by name."""
        labels, confounds = self.label_names, self.confound_names

        def named(split: SplitDescription) -> dict[str, Any]:
            return split._asdict() | {
                "labels": dict(zip(labels, split.labels, strict=True)),
                "confounds": dict(zip(confounds, split.confounds, strict=True)),
                "groups": [
                    {"label": labels[group.label], "confound": confounds[group.confound], "rows": n}
                    for group, n in split.groups.items()
                ],
            }

        splits = {name: named(split) for name, split in self.splits.items()}
        shared = [
            {"of": second, "in": first, "rows": count}
            for (first, second), count in self.shared.items()
        ]
        return to_jsonable(self._asdict() | {"splits": splits, "shared": shared})


def describe_tables(tables: Tables, on_progress: OnProgress = no_progress) -> Description:
    """Describe a table in one pass over its text, with 12 bytes of memory for each row.

    Args:
      tables: The table.
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
    return found._replace(warnings=(*problems(tables), *tables.notes, *_warnings(found)))


def cramers_v(groups: Counts) -> float | None:
    """Compute Cramér's V, without a correction for few rows.

    ``V = sqrt((sum n_ij² / (n_i n_j) - 1) / min(rows - 1, columns - 1))``, over the groups that
    have any rows; None if there is one label or one confound.

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

    Args:
      train: Labels and confounds of the training rows, two integer arrays of shape ``(N,)``.
      rows: Labels and confounds of the rows to predict, two integer arrays of shape ``(M,)``; M is
        1 or more.

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
    groups = count_groups(label, confound)
    can_tell = len(label) and len(_annotated(tables.train)[0])
    return SplitDescription(
        name=table.name,
        size=table.size,
        labels=_counts(table.label, len(tables.label_names)),
        confounds=_counts(confound, len(tables.confound_names)),
        missing=table.size - len(label),
        groups={
            Group(y, c): n for y, c, n in zip(*(part.tolist() for part in groups), strict=True)
        },
        success=confound_success(_annotated(tables.train), (label, confound)) if can_tell else None,
        cramers_v=cramers_v(groups),
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


def group_name(group: Group, labels: tuple[str, ...], confounds: tuple[str, ...]) -> str:
    """Return the name of a group: those of its label and its confound.

    >>> group_name(Group(1, 0), ("bad", "good"), ("acme", "other"))
    'good/acme'
    """
    return f"{labels[group.label]}/{confounds[group.confound]}"


def _warnings(found: Description) -> Iterable[str]:
    train = found.splits["train"]
    yield from _value_warnings(found, train)
    yield from _group_warnings(found, train)
    yield from _skew_warnings(found, train)
    for name, split in found.splits.items():
        if split.contradictions:
            count = split.contradictions
            texts = "1 text stands" if count == 1 else f"{count} texts stand"
            yield f"{texts} in {name} with more than one label, of which one must be wrong"
        if split.duplicates:
            yield f"{split.duplicates} of {split.size} rows of {name} repeat an earlier one"
    for (first, second), count in found.shared.items():
        yield (
            f"{count} of {found.splits[second].size} rows of {second} stand in {first} as well; "
            f"remove them, or {second} tells too good a story"
        )
    if train.missing and train.missing < train.size:
        yield f"{train.missing} of {train.size} training rows have no confound"
    dev = found.splits["dev"]
    if train.missing < train.size and dev.missing == dev.size > 0:
        yield "no row of dev has a confound, so that models are selected by accuracy alone"


def _value_warnings(found: Description, train: SplitDescription) -> Iterable[str]:
    used = sum(size > 0 for size in train.labels)
    if used > max(MANY_LABELS, train.size / 10):
        yield f"there are {used} labels for {train.size} training rows; is this the column of them?"
    for name in found.confound_names:
        if name in LIKE_MISSING:
            yield f"confound {name!r} counts as a value; leave the field empty where there is none"
    for name in ("dev", "test"):
        for confound, size in enumerate(found.splits[name].confounds):
            if size and not train.confounds[confound]:
                yield f"confound {found.confound_names[confound]!r} is in {name}, but not in train"


def _group_warnings(found: Description, train: SplitDescription) -> Iterable[str]:
    labels = [y for y, size in enumerate(train.labels) if size]
    confounds = [c for c, size in enumerate(train.confounds) if size]
    empty = len(labels) * len(confounds) - len(train.groups)
    if empty:
        missing = (
            group for y in labels for c in confounds if (group := Group(y, c)) not in train.groups
        )
        yield _about(missing, empty, "no training row", found)
    at_least = 1
    for bound in TINY:
        few = [group for group, size in train.groups.items() if at_least <= size < bound]
        if few:
            yield _about(few, len(few), f"fewer than {bound} training rows", found)
        at_least = bound


def _skew_warnings(found: Description, train: SplitDescription) -> Iterable[str]:
    """Warn of splits whose overall accuracy rewards use of the confound."""
    for name in ("dev", "test"):
        split = found.splits[name]
        if _gain(train) >= SKEWED and _gain(split) > _gain(train) / 2:
            yield (
                f"in {name} as in train the confound tells the label ({split.success:.0%} of "
                "rows): accuracy on it does not show whether a model leans; that of its groups does"
            )


def _gain(split: SplitDescription) -> float:
    """Return what the confound alone adds to the accuracy of the most frequent label."""
    return 0.0 if split.success is None else split.success - max(split.labels) / split.size


def _about(groups: Iterable[Group], count: int, what: str, found: Description) -> str:
    named = [
        group_name(group, found.label_names, found.confound_names)
        for group, _ in zip(groups, range(SHOWN), strict=False)
    ]
    more = f" and {count - SHOWN} more" if count > SHOWN else ""
    command, noun = ("has", "group") if count == 1 else ("have", "groups")
    return f"{count} {noun} {command} {what}: {', '.join(named)}{more}"
