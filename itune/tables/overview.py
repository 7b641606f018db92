"""The tables that a description is shown by, in a terminal as in a notebook."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from itune.tables.description import Description, SplitDescription
from itune.utils.table_files import Row

MOST = 12
"""Number of labels, and of confounds, that are shown; the others are counted."""

_SIZES: dict[str, Callable[[SplitDescription], Any]] = {
    "rows": lambda split: split.size,
    "without confound": lambda split: split.missing,
    "repeated rows": lambda split: split.duplicates,
    "most frequent label": lambda split: max(split.labels) / split.size if split.size else None,
    "label from confound alone": lambda split: split.success,
    "Cramér's V": lambda split: split.cramers_v,
}


class OverviewTable(NamedTuple):
    """One table of a description."""

    caption: str
    header: tuple[str, ...]
    rows: Sequence[Row]


def overview(found: Description) -> list[OverviewTable]:
    """Return the tables; labels and confounds that are too many are left out of each alike."""
    splits = found.splits
    labels = _largest(found.label_names, [split.labels for split in splits.values()])
    confounds = _largest(found.confound_names, [split.confounds for split in splits.values()])
    sizes = [[name, *map(of, splits.values())] for name, of in _SIZES.items()]
    tables = [
        OverviewTable("Splits", ("", *splits), sizes),
        OverviewTable("Rows of each label", ("label", *splits), _values(found, "labels", labels)),
    ]
    if found.confound_names:
        rows = _values(found, "confounds", confounds)
        tables.append(OverviewTable("Rows of each confound", ("confound", *splits), rows))
        rows = [
            list(row.values())
            for row in found.to_rows()
            if row["label"] in labels and row["confound"] in confounds
        ]
        others = [_others(found.label_names, labels), _others(found.confound_names, confounds)]
        if any(others):
            rows.append([*others, *[""] * len(splits)])
        tables.append(OverviewTable("Rows of each group", ("label", "confound", *splits), rows))
    header = ("words", "least", "10%", "median", "90%", "most")
    lengths = [[name, *map(round, of.lengths)] for name, of in splits.items() if of.lengths]
    return [*tables, OverviewTable("Words of a row", header, lengths)]


def _largest(names: Sequence[str], sizes: Sequence[Sequence[int]]) -> dict[str, int]:
    """Return the values with the most rows in all splits together, in order, and their numbers."""
    totals = [sum(of) for of in zip(*sizes, strict=True)]
    largest = sorted(range(len(names)), key=lambda number: -totals[number])[:MOST]
    return {names[number]: number for number in sorted(largest)}


def _values(found: Description, kind: str, shown: dict[str, int]) -> list[Row]:
    names = found.label_names if kind == "labels" else found.confound_names
    counts = [getattr(split, kind) for split in found.splits.values()]
    rows: list[Row] = [[name, *(of[number] for of in counts)] for name, number in shown.items()]
    others = _others(names, shown)
    return [*rows, [others, *[""] * len(counts)]] if others else rows


def _others(names: Sequence[str], shown: dict[str, int]) -> str:
    return f"({len(names) - len(shown)} more)" if len(names) > len(shown) else ""
