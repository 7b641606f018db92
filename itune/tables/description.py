"""What is known of a table, and how it is handed on."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from itune.groups import Group
from itune.utils.json import to_jsonable
from itune.utils.notebook import html_of


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


@dataclass(frozen=True)
class SplitDescription:
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
      is_part_of_train: Whether the rows were taken out of those that train came with.
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
    is_part_of_train: bool = False


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

    def title(self) -> str:
        """Return the names of what the rows come from, a folder that they share once."""
        return title_of([split.name for split in self.splits.values()])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it, with labels, confounds and groups by name."""
        labels, confounds = self.label_names, self.confound_names

        def named(split: SplitDescription) -> dict[str, Any]:
            return vars(split) | {
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


def title_of(names: Sequence[str]) -> str:
    """Return the names of some parts for a title, with what they have in common once.

    >>> title_of(["reviews/train.csv", "reviews/dev.csv"]), title_of(["a.csv", "a.csv"])
    ('reviews: train.csv, dev.csv', 'a.csv')
    >>> title_of(["org/data, train", "org/data, validation"])
    'org/data: train, validation'
    """
    names = list(dict.fromkeys(names))
    heads = {name.rpartition(", ")[0] for name in names}
    if len(names) > 1 and len(heads) == 1 and (head := heads.pop()):
        return f"{head}: {', '.join(name.removeprefix(f'{head}, ') for name in names)}"
    with contextlib.suppress(ValueError):
        folder = os.path.commonpath(names)
        if len(names) > 1 and folder.strip("/"):
            return f"{folder}: {', '.join(os.path.relpath(name, folder) for name in names)}"
    return ", ".join(names)
