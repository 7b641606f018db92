"""Partitions, on random tables: nothing lost, nothing parted, no group without training rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from itune.tables.partition import partition

FRACTIONS = st.tuples(st.floats(0, 0.45), st.floats(0, 0.45))
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def tables(draw):
    """Random arrays of the label, the confound and the unit of each row."""
    rows = st.tuples(st.integers(0, 2), st.integers(-1, 2), st.integers(-5, 12))
    table = draw(st.lists(rows, min_size=1, max_size=60))
    return tuple(np.array(column) for column in zip(*table, strict=True))


@given(tables(), FRACTIONS, SEEDS)
def test_rows_are_partitioned_and_no_unit_is_parted(table, fractions, seed):
    label, confound, unit = table
    parts = partition(label, confound, *fractions, seed, unit)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(label)))
    assert all(np.all(np.diff(part) > 0) for part in parts)
    units = [set(unit[part].tolist()) for part in parts]
    assert sum(map(len, units)) == len(set(unit.tolist()))


@given(tables(), FRACTIONS, SEEDS)
def test_no_part_is_larger_than_its_fraction(table, fractions, seed):
    label, confound, unit = table
    _, dev, test = partition(label, confound, *fractions, seed, unit)
    for part, fraction in ((dev, fractions[0]), (test, fractions[1])):
        assert len(part) <= fraction * len(label) + 0.5 + 1e-9


@given(tables(), FRACTIONS, SEEDS)
def test_every_group_keeps_a_training_row(table, fractions, seed):
    """The group of a unit is that of its first row."""
    label, confound, unit = table
    train, _, _ = partition(label, confound, *fractions, seed, unit)
    first = {value: index for index, value in reversed(list(enumerate(unit.tolist())))}
    firsts = set(first.values())
    groups = {(label[row], confound[row]) for row in firsts}
    assert groups == {(label[row], confound[row]) for row in firsts & set(train.tolist())}


@given(
    st.lists(st.integers(6, 25), min_size=1, max_size=6),
    st.tuples(st.floats(0, 0.25), st.floats(0, 0.25)),
    SEEDS,
)
def test_groups_and_the_whole_have_their_fractions_to_a_row(sizes, fractions, seed):
    rng = np.random.default_rng(seed)
    label = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    _, *parts = partition(label, label % 2, *fractions, seed)
    for part, fraction in zip(parts, fractions, strict=True):
        assert abs(len(part) - fraction * len(label)) <= 0.5 + 1e-9
        taken = np.bincount(label[part], minlength=len(sizes))
        np.testing.assert_array_less(np.abs(taken - fraction * np.array(sizes)), 1 + 1e-9)
