"""The counterfactual test: whether predictions change as the confound is swapped in the text."""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from itune.auditing.config import AuditConfig
from itune.auditing.predictions import make_predict
from itune.auditing.uncertainty import draw_by_group
from itune.data.dataset import Dataset
from itune.methods.base import Classifier
from itune.metrics.proportions import wilson
from itune.tables.arrow import import_pyarrow
from itune.tables.swaps import Swaps, make_swaps
from itune.tables.table import Table, Tables

SHOWN = 10
"""Changed texts that are kept as examples."""

LOOKED_THROUGH = 2000
"""Training texts in which the words to put in are found."""


class ChangedPrediction(NamedTuple):
    """A text whose prediction changed with the confound.

    Attributes:
      index: its row, from 0, in the split that was tested, or in the table that this is a part of.
      before: the text that the rule looks at, as it stands.
      after: the same with another confound.
      predicted_before: number of the label that the model gives the first.
      predicted_after: and the second.
    """

    index: int
    before: str
    after: str
    predicted_before: int
    predicted_after: int


class Move(NamedTuple):
    """What one swap did to one prediction.

    Attributes:
      confound_before: number of the confound as it stands.
      confound_after: of the one put in its place.
      predicted_before: number of the label predicted before.
      predicted_after: and after.
      count: texts of which that is so.
    """

    confound_before: int
    confound_after: int
    predicted_before: int
    predicted_after: int
    count: int


class CounterfactualTest(NamedTuple):
    """How often the prediction changes with the confound, and nothing else.

    Attributes:
      size: texts that were swapped.
      changed: how many got another prediction.
      share: ``changed / size``.
      low: lower end of its 95 % interval (Wilson).
      high: upper end.
      examples: some of those that changed.
      moves: all texts by swap and predictions, the same prediction included.
      split: name of the split they are from.
    """

    size: int
    changed: int
    share: float
    low: float
    high: float
    examples: tuple[ChangedPrediction, ...]
    moves: tuple[Move, ...] = ()
    split: str = "test"


class _Texts(NamedTuple):
    """Rows of a split, their new texts, and the confounds put in."""

    rows: np.ndarray
    after: list[str]
    targets: list[int]


def run_counterfactual_test(
    classifier: Classifier,
    params: Any,
    encode: Callable[[Table], Dataset],
    tables: Tables,
    config: AuditConfig,
    rng: np.random.Generator,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> CounterfactualTest | None:
    """Swaps the confound in texts of test, or else of dev or train, and predicts both.

    Args:
      classifier: the model.
      params: its parameters.
      encode: texts to what the model takes.
      tables: with the rule that made the confound.
      config: how many texts.
      rng: draws texts, and the confound that each gets.
      on_progress: called with rows done and in all.

    Returns:
      The test; None where there is no rule over words, or no text that it can be swapped in.
    """
    if tables.rule is None:
        return None
    train, on = tables.train, tables.rule_on
    some = draw_by_group(train.label, train.confound, LOOKED_THROUGH, rng)
    swaps = make_swaps(tables.rule, (train.texts(row)[on] for row in some))
    split = next(name for name in ("test", "dev", "train") if tables.splits()[name].size)
    table = tables.splits()[split]
    texts = _swap(swaps, table, on, config.swaps, rng) if swaps else None
    if texts is None:
        return None
    before = table.take(texts.rows)
    after = _with_texts(before, on, texts.after)
    predict = make_predict(classifier)
    size, predicted = len(texts.rows), []
    for start, side in ((0, before), (size, after)):
        told = predict(
            params,
            encode(side),
            np.arange(size),
            on_progress=lambda done, start=start: on_progress(start + done, 2 * size),
        )
        predicted.append(told.logits.argmax(axis=1))
    return _summary(table, on, texts, *predicted, split)


def _swap(swaps: Swaps, table: Table, on: int, size: int, rng) -> _Texts | None:
    """Texts drawn at random out of those that can be given another confound."""
    possible = np.isin(table.confound, [c for c in np.unique(table.confound) if swaps.targets(c)])
    rows, after, targets = [], [], []
    for row in rng.permutation(np.flatnonzero(possible)):
        target = rng.choice(swaps.targets(int(table.confound[row])))
        text = swaps.swapped(table.texts(row)[on], int(target), rng)
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


def _with_texts(table: Table, place: int, texts: list[str]) -> Table:
    """The rows of a table with other texts in one column, in memory."""
    arrow = import_pyarrow()
    columns = table.columns.take(table.rows)
    columns = columns.set_column(
        place, columns.schema.field(place), arrow.array(texts, arrow.large_string())
    )
    return table._replace(columns=columns, rows=np.arange(len(texts)))


def _summary(table: Table, on: int, texts: _Texts, before, after, split: str) -> CounterfactualTest:
    changed = np.flatnonzero(before != after)
    moves = Counter(
        zip(
            table.confound[texts.rows].tolist(),
            texts.targets,
            before.tolist(),
            after.tolist(),
            strict=True,
        )
    )
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
                table.texts(texts.rows[i])[on],
                texts.after[i],
                int(before[i]),
                int(after[i]),
            )
            for i in changed[:SHOWN]
        ),
        moves=tuple(Move(*key, count) for key, count in sorted(moves.items())),
        split=split,
    )
