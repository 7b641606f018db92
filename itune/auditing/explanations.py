"""Explain predictions by the training rows that helped the model to them, or harmed."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy.special import softmax

from itune.auditing.config import AuditConfig
from itune.auditing.plan import EXPLANATIONS
from itune.auditing.predictions import predict
from itune.data.dataset import Dataset, chunks_by_length, collate_shared
from itune.data.padding import padded_length
from itune.errors import UserError
from itune.groups import HIDDEN, Group, groups_of
from itune.methods.base import Classifier, Params
from itune.metrics.matrix import compiled_scores
from itune.tables.table import Table, Tables
from itune.utils.devices import lay_out, on_all
from itune.utils.resumable import NEVER_SAVED, Resumable

Span = tuple[int, int]


@dataclass(frozen=True)
class TrainingRow:
    """A training row as a reader sees it.

    Attributes:
      index: Row number, from 0, in train, or in the table that train is a part of.
      texts: Text of the row, or its two texts.
      label: Number of the row's label.
      confound: Number of the row's confound; :data:`~itune.groups.HIDDEN` if not annotated.
      spans: Places of the confound in the text that the rule looks at, each the index of the first
        character and that of the character after the last; empty without a rule.
    """

    index: int
    texts: tuple[str, ...]
    label: int
    confound: int
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class InfluentialRow(TrainingRow):
    """A training row that helped the prediction of a probe, or harmed it.

    Attributes:
      index: Row number, from 0, in train, or in the table that train is a part of.
      texts: Text of the row, or its two texts.
      label: Number of the row's label.
      confound: Number of the row's confound; :data:`~itune.groups.HIDDEN` if not annotated.
      spans: Places of the confound in the text that the rule looks at, each the index of the first
        character and that of the character after the last; empty without a rule.
      influence: Gradient cosine with the probe, -1 to 1; above 0 if the row helped.
    """

    influence: float


@dataclass(frozen=True)
class Explanation(TrainingRow):
    """A probe, its prediction, and the training rows that helped and harmed it most.

    Attributes:
      index: Row number, from 0, in train, or in the table that train is a part of.
      texts: Text of the row, or its two texts.
      label: Number of the row's label.
      confound: Number of the row's confound; :data:`~itune.groups.HIDDEN` if not annotated.
      spans: Places of the confound in the text that the rule looks at, each the index of the first
        character and that of the character after the last; empty without a rule.
      predicted: Number of the label that the model predicts.
      probabilities: Predicted probability of each label.
      helpful: Rows that helped most, in descending order of influence; never the probe itself.
      harmful: Rows that harmed most, in ascending order of influence; never the probe itself.
    """

    predicted: int
    probabilities: tuple[float, ...]
    helpful: tuple[InfluentialRow, ...]
    harmful: tuple[InfluentialRow, ...]


def choose_probes(train: Table, config: AuditConfig, rng: np.random.Generator) -> np.ndarray:
    """Return the probes that the configuration names, or draw some, half from minority groups.

    A minority group is any but the largest of its label; they take turns, the smallest first.
    Returns indices of training rows, in the order named, or ascending if drawn.

    Raises:
      UserError: A row that is named does not exist or is not in train.
    """
    if config.probes:
        return np.array([_place(train, number) for number in config.probes])
    size = min(config.random_probes, train.size)
    drawn = _of_minorities(groups_of(train.label, train.confound), size // 2, rng)
    rest = np.setdiff1d(np.arange(train.size), drawn)
    return np.sort(np.concatenate([drawn, rng.choice(rest, size - len(drawn), replace=False)]))


def _place(train: Table, number: int) -> int:
    """Index into train of a row of the table, which is counted from 1."""
    total = train.columns.num_rows
    if number > total:
        name = "train" if train.size == total else train.name
        raise UserError(f"probes must be rows 1 to {total} of {name}, got {number}")
    place = int(np.searchsorted(train.rows, number - 1))
    if place == train.size or train.rows[place] != number - 1:
        raise UserError(
            f"probes must be training rows, got {number}, which {train.name} has in dev or test"
        )
    return place


def _of_minorities(
    groups: dict[Group, np.ndarray], size: int, rng: np.random.Generator
) -> np.ndarray:
    """Rows of the minority groups in turn, ``size`` at most."""
    known = sorted((len(rows), group) for group, rows in groups.items() if group.confound != HIDDEN)
    largest = {group.label: group for _, group in known}
    minorities = [
        rng.permutation(groups[group]) for _, group in known if group != largest[group.label]
    ]
    rounds = range(max(map(len, minorities), default=0) and size)
    turns = [rows[turn] for turn in rounds for rows in minorities if turn < len(rows)]
    return np.array(turns[:size], np.int64)


def explain(
    classifier: Classifier,
    params: Params,
    data: Dataset,
    tables: Tables,
    probes: np.ndarray,
    rows: np.ndarray,
    config: AuditConfig,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    resumable: Resumable = NEVER_SAVED,
) -> tuple[Explanation, ...]:
    """Predict each probe, and find the training rows that helped and harmed its prediction most.

    ``probes`` and ``rows``, those to search, are indices into ``data``, the tokens of
    ``tables.train``. Helpful rows have influence above 0, harmful rows below 0.
    """
    if not len(probes):
        return ()
    influences = _influences(
        classifier.loss,
        params,
        data,
        probes,
        rows,
        chunk=config.chunk,
        on_progress=on_progress,
        resumable=resumable,
    )
    logits = predict(classifier, params, data, probes).logits
    probabilities = softmax(logits.astype(np.float64), axis=-1)
    return tuple(
        Explanation(
            **asdict(_training_row(tables, int(probe))),
            predicted=int(of_labels.argmax()),
            probabilities=tuple(of_labels.tolist()),
            helpful=_most(tables, probe, rows, of_rows, config.shown),
            harmful=_most(tables, probe, rows, of_rows, config.shown, sign=-1),
        )
        for probe, of_labels, of_rows in zip(probes, probabilities, influences, strict=True)
    )


def _influences(
    loss: Callable,
    params: Params,
    data: Dataset,
    probes: np.ndarray,
    rows: np.ndarray,
    *,
    chunk: int,
    on_progress: Callable[[int, int], None],
    resumable: Resumable,
) -> np.ndarray:
    """Gradient cosines of a few probes with many rows, ``(P, n)``; each gradient is made once."""
    make, pairs = compiled_scores(loss, "cosine", None, len(probes))
    length = padded_length(data.lengths[probes], data.padding)
    params = lay_out(params)
    of_probes = make(params, collate_shared(data, probes, length=length))
    chunks = chunks_by_length(data, rows, on_all(chunk))

    def step(state: dict[str, np.ndarray], item: tuple[np.ndarray, np.ndarray]):
        places, is_real = item
        block = np.asarray(pairs(of_probes, make(params, collate_shared(data, rows[places]))))
        state["influences"][:, places[is_real]] = block[:, is_real]
        return state

    state = resumable.fold(
        EXPLANATIONS,
        {"influences": np.empty((len(probes), len(rows)))},
        chunks,
        step,
        lambda done: on_progress(done, len(chunks)),
    )
    return state["influences"]


def _most(
    tables: Tables,
    probe: int,
    rows: np.ndarray,
    influences: np.ndarray,
    shown: int,
    sign: int = 1,
) -> tuple[InfluentialRow, ...]:
    """The rows of largest influence, above 0; with ``sign`` -1, of smallest, below 0."""
    order = np.argsort(-sign * influences, kind="stable")[: shown + 1]
    most = [place for place in order if rows[place] != probe and sign * influences[place] > 0]
    return tuple(
        InfluentialRow(
            **asdict(_training_row(tables, int(rows[place]))), influence=float(influences[place])
        )
        for place in most[:shown]
    )


def _training_row(tables: Tables, index: int) -> TrainingRow:
    table = tables.train
    texts = table.texts(index)
    spans: Sequence[Span] = tables.rule.spans(texts[tables.rule_on]) if tables.rule else ()
    return TrainingRow(
        index=int(table.rows[index]),
        texts=texts,
        label=int(table.label[index]),
        confound=int(table.confound[index]),
        spans=tuple(spans),
    )
