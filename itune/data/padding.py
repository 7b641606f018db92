"""Padded lengths: few, since each is compiled, and such that little padding is computed (NumPy)."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

Padding: TypeAlias = int | tuple[int, ...]
"""What lengths are padded to: multiples of a number; or certain lengths, in ascending order."""

BUCKET = 8
"""Default number whose multiples padded lengths are."""

MOST = 14
"""Largest number of lengths that are chosen."""

COMPILING = 10_000 * 384**2
"""Tokens whose computing takes as long as compiling one more length, times the squared width of an
encoder: layers take as long to compile at any width, and as long to compute as its square."""

ROWS_DRAWN = 8192
"""Rows in batches that lengths are chosen by."""


def padded_length(lengths: np.ndarray, padding: Padding = BUCKET) -> int:
    """Return the least padded length that is at least every length.

    Beyond the last of certain lengths it is a multiple of :data:`BUCKET`.

    >>> padded_length(np.array([3, 9])), padded_length(np.array([3, 9]), (5, 11))
    (16, 11)
    """
    longest = int(np.max(lengths))
    if isinstance(padding, tuple):
        if longest <= padding[-1]:
            return padding[np.searchsorted(padding, longest)]
        padding = BUCKET
    return -(-longest // padding) * padding


def choose_lengths(
    lengths: np.ndarray, longest: int, *, batch: int, chunk: int, epochs: int, width: int
) -> tuple[int, ...]:
    """Choose the lengths that examples of training are padded to.

    Of batches drawn for the purpose, always alike, those lengths are taken by which the fewest
    tokens are computed; and only as many as each saves computing, in all epochs, that takes longer
    than to compile it, by the width of the encoder: 10,000 tokens of width 384, 2,500 of width 768.
    So they depend on the data and on what is trained, but not on a run's seed.

    Args:
      lengths: Numbers of tokens of the training examples, an integer array of shape ``(N,)``.
      longest: Number of tokens that no example exceeds.
      batch: Examples of one update.
      chunk: Examples of similar lengths that are computed at once.
      epochs: Passes over the examples.
      width: Hidden size of the encoder.

    Returns:
      At most 14 lengths in ascending order, the last of them ``longest``.

    >>> choose_lengths(np.array([5] * 90 + [30] * 10), 30, batch=4, chunk=2, epochs=9, width=768)
    (5, 30)
    """
    rng, tops = np.random.default_rng(0), []
    batch = min(batch, len(lengths))
    while len(tops) * batch < max(ROWS_DRAWN, len(lengths)):
        rows = np.sort(rng.permutation(lengths)[: len(lengths) // batch * batch].reshape(-1, batch))
        tops += list(rows)
    sorted_rows = np.array(tops)
    ends = np.minimum(np.arange(chunk - 1, batch + chunk - 1, chunk), batch - 1)
    needed = sorted_rows[:, ends].ravel()
    scale = len(lengths) * epochs / needed.size  # examples of all epochs for each chunk drawn
    return _fewest(needed, longest, scale, COMPILING / width**2)


def _fewest(needed: np.ndarray, longest: int, scale: float, compiling: float) -> tuple[int, ...]:
    """Choose levels that cover each needed length, by dynamic programming over their number."""
    levels, counts = np.unique(np.append(needed, longest), return_counts=True)
    total = np.concatenate([[0], np.cumsum(counts)])
    best = np.where(np.arange(len(levels) + 1) == 0, 0.0, np.inf)
    paths: list[list[tuple[int, ...]]] = [[() for _ in best]]
    answers: list[tuple[float, tuple[int, ...]]] = []
    for number in range(1, min(MOST, len(levels)) + 1):
        previous, best = best, np.full(len(levels) + 1, np.inf)
        path: list[tuple[int, ...]] = [()] * len(best)
        for end in range(1, len(levels) + 1):
            costs = previous[:end] + levels[end - 1] * (total[end] - total[:end])
            start = int(np.argmin(costs))
            best[end] = costs[start]
            path[end] = (*paths[-1][start], int(levels[end - 1]))
        paths.append(path)
        answers.append((best[-1] * scale + number * compiling, path[-1]))
    return min(answers)[1]


def every_other(lengths: Sequence[int]) -> tuple[int, ...]:
    """Return half of the lengths, with the last: for work that is done too seldom for all."""
    return tuple(lengths[::-1][::2][::-1])
