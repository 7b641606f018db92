"""IPG: a step that brings the answers to twins together, before each label step."""

from collections import Counter
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.data.dataset import Dataset, collate
from itune.data.twins import add_twins
from itune.errors import UserError
from itune.methods import IpgConfig
from itune.methods.finetuning import finetuning
from itune.methods.ipg import divergences, ipg
from itune.methods.label_steps import label_optimizer
from itune.methods.plans import confounds_read
from tests.helpers.plans import SCHEDULE, SEEN, assert_same_plan, plan_of
from tests.helpers.tiny_method import (
    EVEN,
    LABEL,
    TWINNED,
    TinyMethod,
    assert_close,
    assert_updated,
    expected_update,
    outputs,
)

ROWS = SEEN.visible[::2]
DATA = add_twins(SEEN, Dataset([ids[1:] for ids in SEEN.subset(ROWS).input_ids], ROWS, ROWS), ROWS)
CONFIG = IpgConfig(pairs=20, batch=6, tolerance=1e-3, learning_rate=5e-3)
IPG = TinyMethod(ipg, LABEL, CONFIG, train=TWINNED)
PLAN = IPG.method.plan()
CORRECTING = label_optimizer(replace(LABEL, learning_rate=5e-3, weight_decay=0.0), 24)


def drawn(plan):
    """The pairs of every correction, by the step that it comes before."""
    batches = {}
    for work in plan:
        if work.kind == "pairs":
            real = work.examples[work.arrays["is_real"]]
            batches.setdefault(work.step, []).extend(real.tolist())
    return batches


def test_label_steps_are_those_of_finetuning():
    plan = plan_of("ipg", DATA, ipg=CONFIG)
    kinds = ("pairs", "correct")
    assert_same_plan([w for w in plan if w.kind not in kinds], plan_of("finetuning"))
    changes = [work.kind for work in plan if work.kind in ("correct", "label_update")]
    assert changes == ["correct", "label_update"] * 18
    assert [work.step for work in plan if work.kind == "correct"] == list(range(18))


@pytest.mark.parametrize(("pairs", "batch"), [(20, 6), (500, 6), (4, 6)])
def test_pairs(pairs, batch):
    """Drawn once, and used equally often; an example and its twin beside one another."""
    plan = plan_of("ipg", DATA, ipg=replace(CONFIG, pairs=pairs, batch=batch))
    batches, most = drawn(plan), min(pairs, len(ROWS))
    assert sorted(batches) == list(range(18))
    assert {len(of) for of in batches.values()} == {min(batch, most)}
    every = [tuple(pair) for of in batches.values() for pair in of]
    assert all(DATA.twin_of[twin] == row for row, twin in every)
    counts = Counter(every)
    assert len(counts) == min(most, len(every))
    assert max(counts.values()) - min(counts.values()) <= 1
    assert confounds_read(plan, DATA) == len(counts)


def test_seeds_and_chunks():
    plan, other = (plan_of("ipg", DATA, seed=seed, ipg=CONFIG) for seed in (1, 2))
    assert_same_plan(plan, plan_of("ipg", DATA, ipg=CONFIG))
    assert drawn(plan) != drawn(other)
    chunked = plan_of("ipg", DATA, ipg=CONFIG, label=replace(SCHEDULE, chunk=25))
    assert {n: sorted(of) for n, of in drawn(chunked).items()} == {
        n: sorted(of) for n, of in drawn(plan).items()
    }


def test_without_twins_it_is_refused():
    with pytest.raises(UserError, match="^method ipg needs training rows with a twin .* sees none"):
        plan_of("ipg")


@jax.jit
def derivative(params, *sides):
    """The mean divergence of pairs, by the definition of both divergences, and its gradient."""

    def mean(params):
        p, q = (jax.nn.softmax(outputs(params, side, None).logits) for side in sides)
        return jnp.mean(jnp.sum(p * jnp.log(p / q) + q * jnp.log(q / p), axis=1) / 2)

    return jax.value_and_grad(mean)(params)


def mean_divergence(params, pairs):
    return derivative(params, *(collate(TWINNED, rows, length=8) for rows in np.transpose(pairs)))


def correction(method, state):
    """The state after the second correction, whose pairs make two chunks, and what it logs."""
    start = [place for place, work in enumerate(PLAN) if work.step == 1][0]
    stop = next(
        place for place, work in enumerate(PLAN) if work.step == 1 and work.kind == "correct"
    )
    pairs = drawn(PLAN)[1]
    assert [work.kind for work in PLAN[start:stop]] == ["pairs", "pairs"] and len(pairs) == 6
    before = method.run_planned(PLAN[start:stop], state)
    return *method.run(before, [("correct", {})]), pairs


@pytest.fixture(scope="module")
def after_a_step():
    """At the peak of both rates; the first step is of rate 0."""
    return IPG.run_planned([work for work in PLAN if work.step == 0])


def test_a_correction_by_hand(after_a_step):
    """An update of its own optimizer by the gradient through both sides of all pairs."""
    state, info, pairs = correction(IPG, after_a_step)
    found = mean_divergence(after_a_step.params, pairs)
    assert found[0] > CONFIG.tolerance
    optimizer = after_a_step.pairs.optimizer
    expected = expected_update(CORRECTING, optimizer, after_a_step.params, found)
    assert_updated(state.params, state.pairs, info, "divergence", expected)
    assert_close(state.label, after_a_step.label)
    assert mean_divergence(state.params, pairs)[0] < found[0]


def test_nothing_is_corrected_while_the_condition_holds(after_a_step):
    value = float(mean_divergence(after_a_step.params, drawn(PLAN)[1])[0])
    for tolerance, stays in ((value - 1e-9, False), (value + 1e-9, True)):
        method = TinyMethod(ipg, LABEL, replace(CONFIG, tolerance=tolerance), train=TWINNED)
        state, info, _ = correction(method, after_a_step)
        same = jax.tree.map(np.array_equal, state.params, after_a_step.params)
        assert all(jax.tree.leaves(same)) == stays and (info["step_norm"] == 0) == stays
        assert_close(info["divergence"], value)


def test_a_large_tolerance_is_finetuning():
    method = TinyMethod(ipg, LABEL, replace(CONFIG, tolerance=1e9), train=TWINNED)
    alone = TinyMethod(finetuning, LABEL, train=EVEN)
    state, expected = method.run_planned(PLAN), alone.run_planned(alone.method.plan())
    assert_close((state.params, state.label), (expected.params, expected.label))


def test_divergences_do_not_saturate():
    """Its slope stays where softmax is sure of two answers."""
    logits = jnp.array([[[40.0, 0.0], [0.0, 40.0]]])
    np.testing.assert_allclose(divergences(logits), 40.0)
    slope = jax.jit(jax.grad(lambda logits: divergences(logits)[0]))(logits)
    assert np.abs(slope).min() > 0.4
