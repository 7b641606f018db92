"""The counterfactual test: whether predictions change when the confound is swapped in the text."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from itune.auditing.config import DRAW, AuditConfig
from itune.auditing.predictions import predict
from itune.data.dataset import Dataset, differing
from itune.errors import option
from itune.methods.base import Classifier, Params
from itune.metrics.proportions import wilson
from itune.tables.swapped import SwappedTexts, swap_texts
from itune.tables.table import Table, Tables

SHOWN = 10
"""Changed predictions that are recorded as examples."""


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
      size: Number of texts whose confound was swapped in what the model reads of them.
      changed: Number of these texts whose prediction changed.
      share: ``changed / size``; NaN if there is no such text.
      low: Lower end of the 95 % interval of ``share`` (Wilson); NaN if there is no such text.
      high: Upper end of the 95 % interval of ``share`` (Wilson); NaN if there is no such text.
      examples: Some of the texts whose prediction changed.
      swaps: These texts, counted by swap and predictions, whether or not the prediction changed.
      split: Name of the split that the texts are from.
      unread: Number of further texts whose swap changed no token that the model reads, since the
        confound lies beyond the limit of tokens, or both words are unknown to the tokenizer.
      unpaired: Number of further texts that were not swapped, since one of their words has no
        partner in the list of another confound.
      unpaired_words: Some of these words.
    """

    size: int
    changed: int
    share: float
    low: float
    high: float
    examples: tuple[ChangedPrediction, ...]
    swaps: tuple[SwapCount, ...] = ()
    split: str = "test"
    unread: int = 0
    unpaired: int = 0
    unpaired_words: tuple[str, ...] = ()

    @property
    def unread_share(self) -> float:
        """Share of the swapped texts in which the swap changed no token that the model reads."""
        return self.unread / max(self.unread + self.size, 1)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on texts that are no evidence; none if all are."""
        notes = []
        if self.unread:
            notes.append(
                f"In {self.unread} of {self.unread + self.size} swapped texts of {self.split} "
                f"({self.unread_share:.1%}) the swap changed no token that the model reads; they "
                "are no evidence and are left out."
            )
        if self.unpaired:
            words = ", ".join(map(repr, self.unpaired_words))
            notes.append(
                f"{self.unpaired} texts of {self.split} were not swapped, since a word in them "
                f"({words}) has no one partner in the list of another confound; list each word at "
                f"the place of its partner, or have one drawn ({option('unpaired', 'draw')})."
            )
        return tuple(notes)


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

    Returns None if neither a rule over words nor a task gives the confound, or no text has a
    confound that can be another. ``rng`` draws the texts, and the confound that is put in each;
    ``on_progress`` is called with the numbers of predictions done and in all.
    """
    texts = swap_texts(tables, config.swaps, rng, is_drawn=config.unpaired == DRAW)
    if texts is None:
        return None
    sides = [encode(side) for side in (texts.before, texts.after)] if texts.texts else []
    read = differing(*sides) if sides else np.arange(0)

    def predicted(side: Dataset, start: int) -> np.ndarray:
        if not len(read):
            return read
        predictions = predict(
            classifier,
            params,
            side,
            read,
            on_progress=lambda done: on_progress(start + done, 2 * len(read)),
        )
        return predictions.logits.argmax(axis=1)

    answers = [predicted(side, number * len(read)) for number, side in enumerate(sides)]
    before, after = answers or (read, read)
    return _summary(texts.take(read), before, after, len(texts.texts) - len(read))


def _summary(
    texts: SwappedTexts, before: np.ndarray, after: np.ndarray, unread: int
) -> CounterfactualTest:
    changed = np.flatnonzero(before != after)
    rows = texts.before
    confounds = rows.confound.tolist()
    counts = Counter(zip(confounds, texts.targets, before.tolist(), after.tolist(), strict=True))
    low, high = wilson(len(changed), len(before))
    return CounterfactualTest(
        size=len(before),
        changed=len(changed),
        share=len(changed) / len(before) if len(before) else math.nan,
        low=low,
        high=high,
        examples=tuple(
            ChangedPrediction(
                int(rows.rows[i]),
                rows.texts(i)[texts.column],
                texts.texts[i],
                int(before[i]),
                int(after[i]),
            )
            for i in changed[:SHOWN]
        ),
        swaps=tuple(SwapCount(*key, count) for key, count in sorted(counts.items())),
        split=texts.split,
        unread=unread,
        unpaired=texts.unpaired,
        unpaired_words=texts.unpaired_words,
    )
