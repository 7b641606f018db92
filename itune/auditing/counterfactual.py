"""The counterfactual test: whether predictions change when the confound is swapped in the text."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from itune.auditing.config import AuditConfig
from itune.auditing.predictions import predict
from itune.auditing.samples import draw_by_group
from itune.data.dataset import Dataset
from itune.methods.base import Classifier, Params
from itune.metrics.proportions import wilson
from itune.tables.arrow import import_pyarrow
from itune.tables.swaps import Swaps, make_swaps
from itune.tables.table import Table, Tables

SHOWN = 10
"""Changed predictions that are recorded as examples."""

SEARCHED = 2000
"""Training texts that are searched for words to put in."""


class ChangedPrediction(NamedTuple):
    """A text whose prediction changed when its confound was swapped.

    Attributes:
      index: Row number, from 0, in the split that was tested, or in the table that the split is a
        part of.
      before: Original text, from the column that the rule looks at.
      after: Text with another confound put in.
      predicted_before: Number of the label predicted for the original text.
      predicted_after: Number of the label predicted for the text with another confound.
    """

    index: int
    before: str
    after: str
    predicted_before: int
    predicted_after: int


class SwapCount(NamedTuple):
    """Number of texts with one particular swap of confounds and one pair of predictions.

    Attributes:
      confound_before: Number of the original confound.
      confound_after: Number of the confound put in its place.
      predicted_before: Number of the label predicted for the original text.
      predicted_after: Number of the label predicted for the text with another confound.
      count: Number of texts with this swap and these predictions.
    """

    confound_before: int
    confound_after: int
    predicted_before: int
    predicted_after: int
    count: int


@dataclass(frozen=True)
class CounterfactualTest:
    """How often the prediction changes when the confound is swapped and nothing else is.

    Attributes:
      size: Number of texts whose confound was swapped.
      changed: Number of texts whose prediction changed.
      share: ``changed / size``.
      low: Lower end of the 95 % interval of ``share`` (Wilson).
      high: Upper end of the 95 % interval of ``share`` (Wilson).
      examples: Some of the texts whose prediction changed.
      swaps: All texts, counted by swap and predictions, whether or not the prediction changed.
      split: Name of the split that the texts are from.
    """

    size: int
    changed: int
    share: float
    low: float
    high: float
    examples: tuple[ChangedPrediction, ...]
    swaps: tuple[SwapCount, ...] = ()
    split: str = "test"


class _Texts(NamedTuple):
    """Rows of a split, their new texts, and the numbers of the confounds put in."""

    rows: np.ndarray
    after: list[str]
    targets: list[int]


def run_counterfactual_test(
    classifier: Classifier,
    params: Params,
    encode: Callable[[Table], Dataset],
    tables: Tables,
    config: AuditConfig,
    rng: np.random.Generator,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> CounterfactualTest | None:
    """Swap the confound in texts of test, or else of dev or train, and predict both versions.

    Args:
      classifier: Model to test.
      params: Parameters of the model.
      encode: Function that turns a table into the model's inputs.
      tables: Tables, with the rule that gives the confound.
      config: Settings of the audit; ``swaps`` is the largest number of texts swapped.
      rng: Random generator that draws the texts, and the confound that is put in each.
      on_progress: Called with the number of predictions that are done and the number of all; each
        text is predicted twice.

    Returns:
      The test, or None if the confound is not given by a rule over words, or no text can be given
      another confound.
    """
    if tables.rule is None:
        return None
    train, column = tables.train, tables.rule_on
    some = draw_by_group(train.label, train.confound, SEARCHED, rng)
    swaps = make_swaps(tables.rule, (train.texts(row)[column] for row in some))
    split = next(name for name in ("test", "dev", "train") if tables.splits()[name].size)
    table = tables.splits()[split]
    texts = _swap(swaps, table, column, config.swaps, rng) if swaps else None
    if texts is None:
        return None
    before = table.take(texts.rows)
    after = _with_texts(before, column, texts.after)
    size = len(texts.rows)

    def predicted(side: Table, start: int) -> np.ndarray:
        predictions = predict(
            classifier,
            params,
            encode(side),
            np.arange(size),
            on_progress=lambda done: on_progress(start + done, 2 * size),
        )
        return predictions.logits.argmax(axis=1)

    return _summary(table, column, texts, predicted(before, 0), predicted(after, size), split)


def _swap(
    swaps: Swaps, table: Table, column: int, size: int, rng: np.random.Generator
) -> _Texts | None:
    """Texts drawn at random among those that can be given another confound."""
    possible = np.isin(table.confound, [c for c in np.unique(table.confound) if swaps.targets(c)])
    rows, after, targets = [], [], []
    for row in rng.permutation(np.flatnonzero(possible)):
        target = rng.choice(swaps.targets(int(table.confound[row])))
        text = swaps.swapped(table.texts(row)[column], int(target), rng)
        if text is not None:
            rows.append(row)
            after.append(text)
            targets.append(int(target))
        if len(rows) == size:
            break
    if not rows:
        return None
    order = np.argsort(rows)
    return _Texts(np.array(rows)[order], [after[i] for i in order], [targets[i] for i in order])


def _with_texts(table: Table, column: int, texts: list[str]) -> Table:
    """The rows of a table with other texts in one column, in memory."""
    arrow = import_pyarrow()
    columns = table.columns.take(table.rows)
    columns = columns.set_column(
        column, columns.schema.field(column), arrow.array(texts, arrow.large_string())
    )
    return table._replace(columns=columns, rows=np.arange(len(texts)))


def _summary(
    table: Table, column: int, texts: _Texts, before: np.ndarray, after: np.ndarray, split: str
) -> CounterfactualTest:
    changed = np.flatnonzero(before != after)
    confounds = table.confound[texts.rows].tolist()
    counts = Counter(zip(confounds, texts.targets, before.tolist(), after.tolist(), strict=True))
    low, high = wilson(len(changed), len(before))
    return CounterfactualTest(
        size=len(before),
        changed=len(changed),
        share=len(changed) / len(before),
        low=low,
        high=high,
        examples=tuple(
            ChangedPrediction(
                int(table.rows[texts.rows[i]]),
                table.texts(texts.rows[i])[column],
                texts.after[i],
                int(before[i]),
                int(after[i]),
            )
            for i in changed[:SHOWN]
        ),
        swaps=tuple(SwapCount(*key, count) for key, count in sorted(counts.items())),
        split=split,
    )
