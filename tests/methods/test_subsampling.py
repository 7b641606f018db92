"""Subsampling: every group cut down to the smallest."""

from collections import Counter
from dataclasses import replace

from itune.methods.plans import confounds_read
from tests.helpers.plans import (
    BIG,
    SCHEDULE,
    SEEN,
    assert_as_many_steps_as_finetuning,
    group_counts,
    label_batches,
    plan_of,
    used,
    visible_counts,
)


def test_subsampling():
    """18 examples, 3 of each group, in 450 places: 25 times each."""
    plan = plan_of("subsampling")
    assert_as_many_steps_as_finetuning(plan)
    batches = label_batches(plan)
    assert all(len(batch) == 25 for batch in batches)
    uses = Counter(used(plan).tolist())
    assert group_counts(list(uses)) == dict.fromkeys(visible_counts(SEEN), 3)
    assert set(uses.values()) == {25}
    assert all(len(set(batch)) > 12 for batch in batches)
    assert len(set(map(tuple, batches))) > 1
    assert confounds_read(plan, SEEN) == 18
    assert set(uses) != set(used(plan_of("subsampling", seed=2)).tolist())


def test_subsampling_of_much_data_shows_no_example_twice_in_a_pass():
    plan = plan_of("subsampling", BIG, label=replace(SCHEDULE, batch=10, epochs=1))
    least = min(visible_counts(BIG).values())
    order = sum(label_batches(plan), [])
    assert set(Counter(order).values()) <= {150 // (6 * least), 150 // (6 * least) + 1}
