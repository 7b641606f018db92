"""Training sentences that helped a model to what it says of a probe, or hurt."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import softmax

from itune.auditing.config import AuditConfig
from itune.data.dataset import Dataset, chunks_by_length, collate, padded_length
from itune.errors import UserError
from itune.groups import HIDDEN, Group, groups_of
from itune.influence.scores import gradients, score
from itune.methods.base import Classifier
from itune.tables.table import Table, Tables
from itune.utils.compiling import jit
from itune.utils.resumable import NEVER_SAVED, Resumable

Span = tuple[int, int]


class Influential(NamedTuple):
    """A training row that helped a probe, or hurt it.

    Attributes:
      index: its row, from 0, in train, or in the table that train is a part of.
      influence: gradient cosine with the probe, -1 to 1; above 0 it helped.
      texts: its text, or its two texts.
      label: number of its label.
      confound: number of its confound; :data:`~itune.groups.HIDDEN` if not annotated.
      spans: where the confound is in the text that the rule looks at, in characters; empty without
        a rule.
    """

    index: int
    influence: float
    texts: tuple[str, ...]
    label: int
    confound: int
    spans: tuple[Span, ...]


class Explanation(NamedTuple):
    """A probe, what the model says of it, and the training rows that it comes from.

    Attributes:
      index: its row, from 0, in train, or in the table that train is a part of.
      texts: its text, or its two texts.
      label: number of its label.
      confound: number of its confound; HIDDEN if not annotated.
      spans: as of :class:`Influential`.
      predicted: number of the label that the model gives it.
      probabilities: of each label.
      helpful: rows that helped most, the first most; without itself.
      harmful: rows that hurt most, the first most.
    """

    index: int
    texts: tuple[str, ...]
    label: int
    confound: int
    spans: tuple[Span, ...]
    predicted: int
    probabilities: tuple[float, ...]
    helpful: tuple[Influential, ...]
    harmful: tuple[Influential, ...]


def choose_probes(train: Table, config: AuditConfig, rng: np.random.Generator) -> np.ndarray:
    """The probes that were asked for, or some at random, half of them from minority groups.

    A minority group is any but the largest of its label. They take turns, the smallest first.

    Args:
      train: the training rows.
      config: names probes, by their rows in the table that train is, or is a part of, from 1 on; or
        says how many to draw.
      rng: draws them, without replacement.

    Returns:
      Indices of training rows, in the order asked for, or ascending.

    Raises:
      UserError: there is no such row.
    """
    if config.probes:
        return np.array([_place(train, number) for number in config.probes])
    size = min(config.random_probes, train.size)
    drawn = _of_minorities(groups_of(train.label, train.confound), size // 2, rng)
    rest = np.setdiff1d(np.arange(train.size), drawn)
    return np.sort(np.concatenate([drawn, rng.choice(rest, size - len(drawn), replace=False)]))


def _place(train: Table, number: int) -> int:
    """The place of a row of the table among those of train."""
    total = train.columns.num_rows
    if number > total:
        name = "train" if train.size == total else train.name
        raise UserError(f"probes has row {number}, but {name} has rows 1 to {total}")
    place = int(np.searchsorted(train.rows, number - 1))
    if place == train.size or train.rows[place] != number - 1:
        raise UserError(
            f"probes has row {number} of {train.name}, which went to dev or test; name a row of "
            "train"
        )
    return place


def _of_minorities(groups: dict[Group, np.ndarray], size: int, rng) -> np.ndarray:
    """Rows of the groups in turn, up to ``size``."""
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
    params: Any,
    data: Dataset,
    tables: Tables,
    probes: np.ndarray,
    rows: np.ndarray,
    config: AuditConfig,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    resumable: Resumable = NEVER_SAVED,
) -> tuple[Explanation, ...]:
    """Reads what the model says of each probe, and which rows helped and hurt it most.

    Args:
      classifier: the model.
      params: its parameters.
      data: the training data.
      tables: where its texts are.
      probes: indices into ``data``, ``(P,)``.
      rows: the training rows to look among, ``(n,)``.
      config: how many rows are shown; fewer where fewer have influence above, or below 0.
      on_progress: called with chunks done and in all.
      resumable: keeps what is done, under the name ``sentences``.
    """
    if not len(probes):
        return ()
    influences = influences_of(
        classifier.loss,
        params,
        data,
        probes,
        rows,
        chunk=config.chunk,
        on_progress=on_progress,
        resumable=resumable,
    )
    logits = classifier.outputs(params, collate(data, probes), None).logits
    chances = softmax(np.asarray(logits, np.float64), axis=-1)
    return tuple(
        Explanation(
            *_row(tables, int(probe)),
            predicted=int(chance.argmax()),
            probabilities=tuple(chance.tolist()),
            helpful=_most(tables, probe, rows, of_probe, config.shown),
            harmful=_most(tables, probe, rows, of_probe, config.shown, sign=-1),
        )
        for probe, chance, of_probe in zip(probes, chances, influences, strict=True)
    )


def influences_of(
    loss: Callable,
    params: Any,
    data: Dataset,
    probes: np.ndarray,
    rows: np.ndarray,
    *,
    chunk: int,
    on_progress: Callable[[int, int], None],
    resumable: Resumable,
) -> np.ndarray:
    """Gradient cosines of a few probes with many rows, ``(P, n)``; each gradient is made once."""
    make = jit(gradients(loss, kind="cosine", partners=len(probes)))
    pairs = jit(score)
    length = padded_length(data.lengths[probes], data.multiple)
    of_probes = make(params, collate(data, probes, length=length))
    chunks = chunks_by_length(data, rows, chunk)

    def step(state, chunk):
        places, is_real = chunk
        block = np.asarray(pairs(of_probes, make(params, collate(data, rows[places]))))
        state["found"][:, places[is_real]] = block[:, is_real]
        return state

    state = {"found": np.empty((len(probes), len(rows)))}
    told = resumable.fold(
        "sentences", state, chunks, step, lambda done: on_progress(done, len(chunks))
    )
    return told["found"]


def _most(tables, probe, rows, influences, shown, sign=1) -> tuple[Influential, ...]:
    """The rows of largest influence, above 0; with ``sign`` -1, of smallest, below 0."""
    order = np.argsort(-sign * influences, kind="stable")[: shown + 1]
    kept = [place for place in order if rows[place] != probe and sign * influences[place] > 0]
    found = []
    for place in kept[:shown]:
        index, *rest = _row(tables, int(rows[place]))
        found.append(Influential(index, float(influences[place]), *rest))
    return tuple(found)


def _row(tables: Tables, index: int) -> tuple[int, tuple[str, ...], int, int, tuple[Span, ...]]:
    """What a probe and an influential row have in common."""
    table = tables.train
    texts = table.texts(index)
    spans: Sequence[Span] = tables.rule.spans(texts[tables.rule_on]) if tables.rule else ()
    return (
        int(table.rows[index]),
        texts,
        int(table.label[index]),
        int(table.confound[index]),
        tuple(spans),
    )
