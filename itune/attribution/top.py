"""The most helpful and most harmful training examples of a probe, as text."""

import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from itune.attribution.checks import require_finite, require_positive


class Ranked(NamedTuple):
    """A training example in a ranking.

    Attributes:
        index: its row in the training set.
        score: larger = it helped the probe.
        text: its sentence, or None.
        label: its label, or None.
    """

    index: int
    score: float
    text: str | None = None
    label: Any = None


class Top(NamedTuple):
    """Both ends of one probe's ranking; ``print`` shows it as text.

    Attributes:
        helpful: the largest scores, the largest first.
        harmful: the smallest scores, the smallest first.
        probe: the probe's sentence, or None.
    """

    helpful: tuple[Ranked, ...]
    harmful: tuple[Ranked, ...]
    probe: str | None = None

    def __str__(self) -> str:
        return format_top(self)


def top(
    scores: Any,
    k: int = 5,
    *,
    texts: Sequence[str] | None = None,
    labels: Sequence[Any] | None = None,
    probes: Sequence[str] | str | None = None,
) -> Top | list[Top]:
    """The k most helpful and the k most harmful training examples.

    ========================== ============================================================
    edge case                  what happens
    ========================== ============================================================
    equal scores               the smaller index first, in both rankings
    k above N                  all N, in both rankings
    all scores of one sign     the rankings are of scores all the same: look at their signs
    ========================== ============================================================

    Args:
        scores: one probe's ``(N,)``, or the ``(P, N)`` of ``Fitted.score``.
        k: examples in each ranking.
        texts: sentences of the N training examples.
        labels: their labels, numbers or names.
        probes: the sentence of the probe, or those of the P probes.

    Returns:
        A :class:`Top`, or a list of P for a matrix.

    Raises:
        ValueError: k is below 1; scores of another rank, empty, NaN or infinite; or texts, labels
            or probes of another number.

    >>> print(top([0.5, -2.0, 0.25], 2, texts=["a cat", "a dog", "no pets"], labels="AAB"))
    most helpful
       +0.5  #0  label A  a cat
      +0.25  #2  label B  no pets
    most harmful
         -2  #1  label A  a dog
      +0.25  #2  label B  no pets
    """
    scores = np.asarray(scores, np.float64)
    require_positive(k=k)
    if scores.ndim not in (1, 2) or scores.size == 0:
        raise ValueError(f"scores have shape {scores.shape}; give (N,) or (P, N), none of them 0")
    matrix = require_finite(np.atleast_2d(scores))
    count, length = matrix.shape
    if isinstance(probes, str) or probes is None:
        probes = [probes] * (count if probes is None else 1)
    for name, values, expected in (
        ("texts", texts, length),
        ("labels", labels, length),
        ("probes", probes, count),
    ):
        if values is not None and len(values) != expected:
            raise ValueError(
                f"there are {len(values)} {name}; scores {scores.shape} need {expected}"
            )

    def ranked(row, order):
        return tuple(
            Ranked(
                int(index),
                float(row[index]),
                None if texts is None else texts[index],
                None if labels is None else labels[index],
            )
            for index in order[:k]
        )

    def of_probe(row, probe):
        order, reverse = (np.argsort(values, kind="stable") for values in (row, -row))
        return Top(ranked(row, reverse), ranked(row, order), probe)

    tops = [of_probe(row, probe) for row, probe in zip(matrix, probes, strict=True)]
    return tops if scores.ndim == 2 else tops[0]


def format_top(ranking: Top, *, width: int = 80) -> str:
    """A ranking as lines of score, index, label and sentence.

    Args:
        ranking: from :func:`top`.
        width: characters of a sentence; longer ones are cut at a word.
    """
    columns = [_groups(row, width) for row in ranking.helpful + ranking.harmful]
    sizes = [max(map(len, column)) for column in zip(*columns, strict=True)]

    def lines(rows):
        for row in rows:
            score, index, label, text = _groups(row, width)
            groups = [score.rjust(sizes[0]), index.rjust(sizes[1]), label.ljust(sizes[2]), text]
            yield "  " + "  ".join(group for group in groups if group).rstrip()

    head = [] if ranking.probe is None else [f"probe: {_one_line(ranking.probe, width)}"]
    helpful, harmful = lines(ranking.helpful), lines(ranking.harmful)
    return "\n".join([*head, "most helpful", *helpful, "most harmful", *harmful])


def _groups(row: Ranked, width: int) -> tuple[str, str, str, str]:
    label = "" if row.label is None else f"label {row.label}"
    text = "" if row.text is None else _one_line(row.text, width)
    return f"{row.score:+.3g}", f"#{row.index}", label, text


def _one_line(text: str, width: int) -> str:
    return textwrap.shorten(text, width, placeholder=" …")
