"""What a model does not read of its rows: texts beyond its limit of tokens, and confounds there."""

from dataclasses import dataclass

import numpy as np

from itune.data.dataset import Dataset
from itune.tables.rules import Expression
from itune.tables.table import Table, Tables
from itune.training.trained_model import LoadedModel


@dataclass(frozen=True)
class Truncation:
    """How many rows of a split are truncated, and how often the confound is cut off with the rest.

    Attributes:
      rows: Number of rows.
      truncated: Number of rows that have more tokens than the model reads.
      located: Number of rows in which a rule finds the confound at a place of the text; 0 without a
        rule, and for rules of lengths.
      beyond: Number of these rows in which the confound lies wholly beyond what the model reads.
    """

    rows: int
    truncated: int
    located: int
    beyond: int

    @property
    def beyond_share(self) -> float:
        """Share of the rows with the confound at a place that have it wholly beyond the limit."""
        return self.beyond / max(self.located, 1)


def measure_truncation(
    model: LoadedModel, tables: Tables, table: Table, data: Dataset
) -> Truncation:
    """Count the rows of a split that are truncated; ``data`` holds their tokens.

    The confound is not read where its text has the same tokens if cut off at the first place of it.
    """
    longest = np.flatnonzero(data.lengths == data.lengths.max())
    truncated = longest[model.is_truncated(table.take(longest))]
    patterns = tables.rule.patterns if tables.rule else ()
    located = [n for n, pattern in enumerate(patterns, 1) if isinstance(pattern, Expression)]
    has_place = np.isin(table.confound, located)
    some = truncated[has_place[truncated]]
    beyond = 0
    if tables.rule and len(some):
        texts = [table.texts(row)[tables.rule_on] for row in some]
        starts = [tables.rule.spans(text)[:1] for text in texts]
        cut = [
            text[: start[0][0]] if start else text
            for text, start in zip(texts, starts, strict=True)
        ]
        tokens = model.encode(table.take(some).with_texts(tables.rule_on, cut)).input_ids
        beyond = sum(
            np.array_equal(data.input_ids[row], ids) for row, ids in zip(some, tokens, strict=True)
        )
    return Truncation(table.size, len(truncated), int(has_place.sum()), beyond)
