"""The most helpful and most harmful training examples of a probe, as text."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from itune.attribution.checks import require_finite, require_positive


class Ranked(NamedTuple):
    """A training example in a ranking.

    Attributes:
        index: Row of the example in the training set.
        score: Score of the example; larger = it helped the probe.
        text: Sentence of the example, or None.
        label: Label of the example, a number or a name, or None.
    """

    index: int
    score: float
    text: str | None = None
    label: Any = None


class Top(NamedTuple):
    """Both ends of one probe's ranking; ``print`` shows it as text.

    Attributes:
        helpful: Examples of the largest scores, the largest first.
        harmful: Examples of the smallest scores, the smallest first.
        probe: Sentence of the probe, or None.
    """

    helpful: tuple[Ranked, ...]
    harmful: tuple[Ranked, ...]
    probe: str | None = None

    def __str__(self) -> str:
        return format_top(self)


def top(
    scores: ArrayLike,
    k: int = 5,
    *,
    texts: Sequence[str] | None = None,
    labels: Sequence[Any] | None = None,
    probes: Sequence[str] | str | None = None,
) -> Top | list[Top]:
    """Rank training examples: the k most helpful and the k most harmful.

    ========================== ============================================================
    edge case                  what happens
    ========================== ============================================================
    equal scores               the smaller index first, in both rankings
    k above N                  all N, in both rankings
    all scores of one sign     both rankings are of scores of that sign: look at their signs
    ========================== ============================================================

    Args:
        scores: Scores of one probe, ``(N,)``, or of P probes, ``(P, N)``, as ``Fitted.score``
            returns them.
        k: Number of examples in each ranking, at least 1.
        texts: Sentences of the N training examples.
        labels: Labels of the N training examples, numbers or names.
        probes: Sentence of the probe, or sentences of the P probes.

    Returns:
        A :class:`~itune.attribution.Top` for scores ``(N,)``, or a list of P for a matrix.

    Raises:
        ValueError: ``k`` is below 1; scores have another rank, or are empty, NaN or infinite; or
            texts, labels or probes have another length.

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
        raise ValueError(
            f"scores must have shape (N,) or (P, N), none of them 0, got {scores.shape}"
        )
    matrix = require_finite(np.atleast_2d(scores))
    count, length = matrix.shape
    sentences = [probes] if isinstance(probes, str) else probes
    for name, values, expected in (
        ("texts", texts, length),
        ("labels", labels, length),
        ("probes", sentences, count),
    ):
        if values is not None and len(values) != expected:
            raise ValueError(
                f"{name} must have {expected} entries for scores {scores.shape}, got {len(values)}"
            )

    def ranked(row: np.ndarray, order: np.ndarray) -> tuple[Ranked, ...]:
        return tuple(
            Ranked(
                int(index),
                float(row[index]),
                None if texts is None else texts[index],
                None if labels is None else labels[index],
            )
            for index in order[:k]
        )

    def of_probe(row: np.ndarray, probe: str | None) -> Top:
        order, reverse = (np.argsort(values, kind="stable") for values in (row, -row))
        return Top(ranked(row, reverse), ranked(row, order), probe)

    tops = [
        of_probe(row, probe) for row, probe in zip(matrix, sentences or [None] * count, strict=True)
    ]
    return tops if scores.ndim == 2 else tops[0]


def format_top(ranking: Top, *, width: int = 80) -> str:
    """Format a ranking as lines of score, index, label and sentence.

    Args:
        ranking: A ranking from :func:`~itune.attribution.top`.
        width: Largest number of characters of a sentence; longer ones are cut at a word.

    Returns:
        The lines, joined; labels and sentences are left out where there are none.
    """
    table = [_columns(row, width) for row in ranking.helpful + ranking.harmful]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]

    def lines(rows: tuple[Ranked, ...]) -> Iterator[str]:
        for row in rows:
            score, index, label, text = _columns(row, width)
            parts = [score.rjust(widths[0]), index.rjust(widths[1]), label.ljust(widths[2]), text]
            yield "  " + "  ".join(part for part in parts if part).rstrip()

    head = [] if ranking.probe is None else [f"probe: {_one_line(ranking.probe, width)}"]
    helpful, harmful = lines(ranking.helpful), lines(ranking.harmful)
    return "\n".join([*head, "most helpful", *helpful, "most harmful", *harmful])


def _columns(row: Ranked, width: int) -> tuple[str, str, str, str]:
    label = "" if row.label is None else f"label {row.label}"
    text = "" if row.text is None else _one_line(row.text, width)
    return f"{row.score:+.3g}", f"#{row.index}", label, text


def _one_line(text: str, width: int) -> str:
    return textwrap.shorten(text, width, placeholder=" …")
