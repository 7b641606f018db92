"""Lengths that examples are padded to."""

from functools import partial
from itertools import combinations

import numpy as np
import pytest

from itune.data import padding
from itune.data.padding import choose_lengths, every_other, padded_length


@pytest.mark.parametrize(
    ("lengths", "padded"), [([1], 8), ([8, 3], 8), ([9], 16), ([2, 17], 24), ([64], 64)]
)
def test_padded_length(lengths, padded):
    assert padded_length(np.array(lengths)) == padded


@pytest.mark.parametrize(("longest", "padded"), [(1, 3), (3, 3), (4, 7), (7, 7), (8, 8), (9, 16)])
def test_one_of_certain_lengths(longest, padded):
    assert padded_length(np.array([1, longest]), (3, 7)) == padded


def drawn(seed=3):
    """Skewed lengths from 3 on, of which the longest is needed by no batch."""
    return np.minimum(3 + np.random.default_rng(seed).geometric(0.15, 90), 16)


def padded_tokens(lengths, levels):
    return np.take(levels, np.searchsorted(levels, lengths)).sum()


@pytest.mark.parametrize("cost", [1, 40, 150, 10_000])
def test_fewest_tokens_and_compiling(cost, monkeypatch):
    """Of all sets of lengths; one example is computed at once, so that each is padded alone."""
    lengths = drawn()
    monkeypatch.setattr(padding, "COMPILING", cost)
    monkeypatch.setattr(padding, "ROWS_DRAWN", 0)
    found = choose_lengths(lengths, 18, batch=9, chunk=1, epochs=2, width=1)

    def cost_of(levels):
        return 2 * padded_tokens(lengths, levels) + cost * len(levels)

    shorter = np.unique(lengths).tolist()
    sets = [(*some, 18) for n in range(len(shorter) + 1) for some in combinations(shorter, n)]
    assert cost_of(found) == min(map(cost_of, sets)) and found == tuple(sorted(found))
    assert found[-1] == 18 and (len(found) == 1) == (cost == 10_000)


def test_lengths_are_few(monkeypatch):
    monkeypatch.setattr(padding, "COMPILING", 0)
    found = choose_lengths(np.arange(5, 105), 120, batch=10, chunk=2, epochs=50, width=1)
    assert len(found) == padding.MOST and found[-1] == 120


def test_lengths_are_those_of_the_longest_of_a_chunk(monkeypatch):
    """Two of a batch of four are computed at once, the shorter and the longer; two are all."""
    monkeypatch.setattr(padding, "COMPILING", 1)
    lengths = np.array([3, 5, 8, 13])
    assert choose_lengths(lengths, 13, batch=4, chunk=2, epochs=9, width=1) == (5, 13)
    assert choose_lengths(lengths, 13, batch=4, chunk=3, epochs=9, width=1) == (8, 13)
    assert choose_lengths(lengths, 13, batch=99, chunk=99, epochs=9, width=1) == (13,)


def test_a_wider_encoder_has_more_lengths(monkeypatch):
    """One more length saves two tokens, which take four times as long at twice the width."""
    monkeypatch.setattr(padding, "COMPILING", 12)
    lengths = np.array([3, 5])
    choose = partial(choose_lengths, lengths, 5, batch=2, chunk=1, epochs=2)
    assert choose(width=1) == (5,) and choose(width=2) == (3, 5)


def test_every_other():
    assert every_other((3, 5, 8, 13)) == (5, 13) and every_other((3, 5, 8)) == (3, 8)
    assert every_other((3,)) == (3,)
