"""Batches with equally many examples of each group, which group DRO takes as well."""

from dataclasses import replace

import numpy as np
import pytest

from itune.errors import UserError
from itune.methods.plans import confounds_read
from tests.helpers.plans import (
    SCHEDULE,
    SEEN,
    assert_as_many_steps_as_finetuning,
    group_counts,
    label_batches,
    plan_of,
    used,
    visible_counts,
)


@pytest.mark.parametrize("name", ["balanced_sampling", "group_dro"])
def test_balanced_batches(name):
    """25 examples by 6 groups: 4 of each; 3 of a group are not enough."""
    plan = plan_of(name)
    assert_as_many_steps_as_finetuning(plan)
    batches = label_batches(plan)
    assert sorted(visible_counts(SEEN).values())[0] == 3
    assert all(group_counts(b) == dict.fromkeys(visible_counts(SEEN), 4) for b in batches)
    for batch in batches:
        small = [i for i in batch if (SEEN.label[i], SEEN.confound[i]) == (1, 2)]
        others = [i for i in batch if i not in small]
        assert len(set(others)) == len(others) == 20 and len(set(small)) <= 3
    assert len(set(map(tuple, batches))) == len(batches)
    assert len(np.unique(used(plan))) > 0.8 * len(SEEN.visible)
    assert confounds_read(plan, SEEN) == len(np.unique(used(plan)))


def test_a_group_as_large_as_its_share_is_taken_whole():
    batches = label_batches(plan_of("balanced_sampling", label=replace(SCHEDULE, batch=18)))
    assert all(len(set(batch)) == 18 for batch in batches)


@pytest.mark.parametrize("name", ["balanced_sampling", "group_dro"])
def test_more_groups_than_a_batch_has_examples(name):
    with pytest.raises(UserError, match=r"^label.batch is 5 but there are 6 groups, .* 6 or more$"):
        plan_of(name, label=replace(SCHEDULE, batch=5))
