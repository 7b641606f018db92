"""Rows that candidates are judged on: errors where they mislead, and counterfactuals."""

from collections.abc import Callable, Sequence

import numpy as np

from itune.discovery.confirmation import (
    Counterfactual,
    ErrorGap,
    measure_change,
    measure_errors,
    predict_labels,
)
from itune.discovery.features.base import Feature, Rows
from itune.tables.config import TEXTS
from itune.tables.further import Columns
from itune.tables.table import Table, Tables
from itune.training.trained_model import LoadedModel
from itune.utils.resumable import Resumable

FEW = 100
"""Rows of dev and test together, below which errors are counted on training rows instead."""


class Judged:
    """Rows that errors and deletions are counted on: dev and test, or some of train if few.

    Attributes:
      name: What they are.
      label: Their labels, ``(n,)``.
      is_right: Whether they are predicted rightly, ``(n,)``.
      is_constant: Whether all of them are predicted to have one label, though they have several.
    """

    def __init__(
        self,
        model: LoadedModel,
        tables: Tables,
        some: Table,
        columns: Columns,
        resumable: Resumable,
    ):
        splits = {name: table for name, table in tables.splits().items() if table.size}
        tested = {name: table for name, table in splits.items() if name != "train"}
        is_enough = sum(table.size for table in tested.values()) >= FEW
        self._model, self._tables = model, tested if is_enough else {"train": some}
        self._rows = {name: rows_of(table, name, columns) for name, table in self._tables.items()}
        data = [model.encode(table) for table in self._tables.values()]
        self._predicted = [
            predict_labels(model.classifier, model.params, one, resumable, f"predictions-{name}")
            for name, one in zip(self._tables, data, strict=True)
        ]
        self.name = " and ".join(tested) if is_enough else "training rows"
        self.label = np.concatenate([one.label for one in data])
        predicted = np.concatenate(self._predicted)
        self.is_right = predicted == self.label
        self.is_constant = len(np.unique(predicted)) == 1 < len(np.unique(self.label))

    def measure(
        self, feature: Feature, usual: int, most: int, rng: np.random.Generator
    ) -> tuple[ErrorGap, Counterfactual | None, Counterfactual | None]:
        """Count errors, and what deleting and swapping the feature in ``most`` texts changes."""
        having = [feature.holds(rows) for rows in self._rows.values()]
        errors = measure_errors(self.is_right, self.label, np.concatenate(having), usual)
        if feature.pattern is None and feature.swap is None:
            return errors, None, None
        left, some = most, []
        for has in having:
            rows = np.sort(rng.permutation(np.flatnonzero(has))[:left])
            left -= len(rows)
            some.append(rows)
        deletion, swap = (
            self._changed(edit, feature.text, some, usual)
            for edit in (feature.deleted, feature.swapped)
        )
        return errors, deletion, swap

    def _changed(
        self,
        edit: Callable[[str], str | None],
        column: str,
        some: Sequence[np.ndarray],
        usual: int,
    ) -> Counterfactual | None:
        """Compare predictions of some rows of each table before and after texts are edited."""
        place, parts = TEXTS.index(column), []
        for table, rows, predicted in zip(
            self._tables.values(), some, self._predicted, strict=True
        ):
            edited = [(row, edit(table.texts(row)[place])) for row in rows.tolist()]
            texts = {row: text for row, text in edited if text is not None}
            if texts:
                at = np.array([*texts])
                data = self._model.encode(table.take(at).with_texts(place, [*texts.values()]))
                after = predict_labels(self._model.classifier, self._model.params, data)
                parts.append((predicted[at], after))
        if not parts:
            return None
        before, after = (np.concatenate(values) for values in zip(*parts, strict=True))
        return measure_change(before, after, usual, len(self._model.label_names))


def rows_of(table: Table, split: str, columns: Columns) -> Rows:
    """Return the texts and further columns of a table's rows."""
    batches = list(table.batches())
    names = TEXTS[: table.columns.num_columns]
    texts = {
        name: [text for batch in batches for text in batch[number]]
        for number, name in enumerate(names)
    }
    here = {  # a split that was taken from train is counted in train's file
        name: (codes.get(split, codes["train"])[table.rows], values)
        for name, (codes, values) in columns.items()
    }
    return Rows(texts, here)
