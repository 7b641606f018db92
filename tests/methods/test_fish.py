"""Fish: loops over the domains, and moves part of the way that they go."""

from dataclasses import replace
from itertools import pairwise

import jax
import numpy as np
import pytest

from itune.data.dataset import collate
from itune.influence import cross_entropy
from itune.methods import FishConfig
from itune.methods.finetuning import finetuning
from itune.methods.fish import fish
from itune.methods.plans import confounds_read
from itune.optimizers import bert_adam, warmup_linear
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
from tests.helpers.tiny_method import (
    EVEN,
    LABEL,
    TinyMethod,
    assert_close,
    expected_update,
    label_chunk,
    outputs,
)

FISH = TinyMethod(fish, LABEL, FishConfig(step_size=0.25), train=EVEN)


def without_arrays(plan):
    return [w._replace(arrays={}) if w.kind == "label_update" else w for w in plan]


def closings(plan):
    return [bool(w.arrays["closes"]) for w in plan if w.kind == "label_update"]


@pytest.mark.parametrize(
    ("batch", "domains", "closes"),
    [
        (25, "group", [0, 0, 0, 0, 0, 1]),  # 6 steps an epoch, of 6 groups
        (16, "group", [0, 0, 0, 0, 0, 1, 0, 0, 1]),  # the last loop is cut short
        (25, "confound", [0, 0, 1, 0, 0, 1]),
        (50, "group", [0, 0, 1]),
    ],
)
def test_loops(batch, domains, closes):
    """Each goes to no domain twice, and takes all of a domain that is smaller than a batch."""
    label = replace(SCHEDULE, batch=batch)
    plan = plan_of("fish", label=label, fish=FishConfig(domains=domains))
    assert closings(plan) == 3 * [bool(it) for it in closes]
    batches, size = label_batches(plan), visible_counts(SEEN)
    kinds = []
    for rows in batches:
        assert len(set(rows)) == len(rows)
        groups = group_counts(rows)
        if domains == "group":
            ((group, count),) = groups.items()
            assert count == min(batch, size[group])
        kinds.append(tuple({group if domains == "group" else group[1] for group in groups}))
        assert len(kinds[-1]) == 1
    ends = [0, *(1 + np.flatnonzero(closings(plan)))]
    loops = [kinds[start:end] for start, end in pairwise(ends)]
    assert all(len(set(loop)) == len(loop) for loop in loops)
    assert len({tuple(loop) for loop in loops}) > 1
    assert confounds_read(plan, SEEN) == len(np.unique(used(plan)))


def test_as_many_steps_as_finetuning():
    assert_as_many_steps_as_finetuning(without_arrays(plan_of("fish")))


def test_a_loop_by_hand():
    """Two steps from an anchor that earlier steps have left; a quarter of the way back to it."""
    tx, closes = bert_adam(warmup_linear(0.1, 20)), {"closes": np.bool_(False)}
    state = FISH.initial()
    for rows in ([0, 6], [1, 7]):
        state, _ = FISH.run(
            state, [("label", label_chunk(rows, data=EVEN)), ("label_update", closes)]
        )
    anchor = jax.tree.map(np.array, state.anchor)
    params, optimizer = state.params, state.label.optimizer
    for seed, rows, ends in ((3, [2, 8, 14], False), (4, [5, 11, 17], True)):
        chunk = label_chunk(rows, 4, seed, data=EVEN)

        def loss(params, chunk=chunk):
            logits = outputs(params, chunk["examples"], jax.random.key(chunk["dropout"])).logits
            return cross_entropy(logits, chunk["examples"]["label"])[:3].mean()

        expected = expected_update(tx, optimizer, params, jax.jit(jax.value_and_grad(loss))(params))
        params, optimizer = expected.params, expected.optimizer
        end = {"closes": np.bool_(ends)}
        state, info = FISH.run(state, [("label", chunk), ("label_update", end)])
        assert_close((info["loss"], info["gradient_norm"]), (expected.value, expected.norm))
        if not ends:
            assert_close((state.params, state.anchor), (params, anchor))
    moved = jax.tree.map(lambda a, b: 0.75 * a + 0.25 * b, anchor, params)
    assert_close((state.params, state.anchor, state.label.optimizer), (moved, moved, optimizer))
    kernels = [tree["classifier"]["kernel"] for tree in (anchor, moved, params)]
    assert min(np.abs(a - b).max() for a, b in pairwise(kernels)) > 1e-3


def test_all_of_the_way_is_label_steps():
    whole = TinyMethod(fish, LABEL, FishConfig(step_size=1.0), train=EVEN)
    plan, alone = whole.method.plan(), TinyMethod(finetuning, LABEL, train=EVEN)
    state, expected = whole.run_planned(plan), alone.run_planned(without_arrays(plan))
    assert_close((state.params, state.label), (expected.params, expected.label))


def test_what_is_evaluated_is_the_anchor():
    plan = FISH.method.plan()
    for place in (n for n, work in enumerate(plan) if work.kind == "cid"):
        state = FISH.run_planned(plan[:place])
        jax.tree.map(np.testing.assert_array_equal, state.params, state.anchor)


def test_the_rows_of_a_domain_are_its_own():
    examples = collate(EVEN, np.array(label_batches(FISH.method.plan())[0]))
    assert len(set(examples["label"])) == len(set(examples["confound"])) == 1
