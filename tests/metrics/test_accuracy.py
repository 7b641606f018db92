"""Accuracies by group, and logits in the data's order."""

import jax.numpy as jnp
import numpy as np
import pytest

from itune.data.dataset import Dataset
from itune.groups import Group
from itune.metrics import accuracy, make_logits

DATA = Dataset(
    [np.full(length, i + 1, np.int32) for i, length in enumerate([9, 2, 17, 3, 4])],
    np.array([0, 0, 1, 1, 1], np.int32),
    np.array([0, 1, 1, 0, 0], np.int32),
)


def logits_of(predictions):
    return np.eye(3)[np.array(predictions)] - 5.0


@pytest.mark.parametrize(
    ("predictions", "overall", "by_group", "worst"),
    [
        ([0, 0, 1, 1, 1], 1.0, [1, 1, 1, 1], Group(0, 0)),  # of equals the first
        ([0, 1, 1, 1, 2], 0.6, [1, 0, 0.5, 1], Group(0, 1)),
        ([0, 0, 1, 2, 0], 0.6, [1, 1, 0, 1], Group(1, 0)),
    ],
)
def test_accuracy(predictions, overall, by_group, worst):
    result = accuracy(logits_of(predictions), DATA)
    groups = [Group(y, c) for y in (0, 1) for c in (0, 1)]
    assert result.overall == pytest.approx(overall)
    assert result.by_group == dict(zip(groups, by_group, strict=True)) and result.worst == worst
    assert result.to_dict() == {
        "accuracy": result.overall,
        "groups": {"y=0 c=0": by_group[0], "y=0 c=1": by_group[1], "y=1 c=0": by_group[2]}
        | {"y=1 c=1": by_group[3]},
        "worst_group": str(worst),
        "worst_group_accuracy": min(by_group),
    }


def test_empty_groups_are_left_out():
    result = accuracy(
        logits_of([1]), Dataset(DATA.input_ids[2:3], DATA.label[2:3], DATA.label[2:3])
    )
    assert result.by_group == {Group(1, 1): 1.0}


def test_what_is_not_annotated_is_in_no_group():
    logits = logits_of([0, 1, 1, 1, 2])
    confound = np.array([0, -1, 1, -1, 0], np.int32)
    result = accuracy(logits, Dataset(DATA.input_ids, DATA.label, confound))
    assert result.overall == pytest.approx(0.6)
    assert result.by_group == {Group(0, 0): 1.0, Group(1, 0): 0.0, Group(1, 1): 1.0}
    result = accuracy(logits, Dataset(DATA.input_ids, DATA.label, np.full(5, -1, np.int32)))
    assert result.worst is None and result.to_dict() == {
        "accuracy": result.overall,
        "groups": {},
        "worst_group": None,
        "worst_group_accuracy": None,
    }


@pytest.mark.parametrize("chunk", [2, 8])
def test_logits_are_in_order(chunk):
    def logits(params, examples):
        first = examples["input_ids"][:, 0].astype(params.dtype)
        length = examples["attention_mask"].sum(axis=-1).astype(params.dtype)
        return jnp.stack([params * first, length], axis=-1)

    result = make_logits(logits, chunk=chunk)(jnp.asarray(10.0), DATA)
    np.testing.assert_array_equal(result, np.stack([[10, 20, 30, 40, 50], [9, 2, 17, 3, 4]], -1))
