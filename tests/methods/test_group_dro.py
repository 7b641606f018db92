"""Group DRO: weights of groups that follow their losses."""

from dataclasses import replace
from functools import partial
from itertools import groupby

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.groups import groups_of
from itune.influence import cross_entropy
from itune.methods import GroupDroConfig
from itune.methods.group_dro import group_dro
from itune.optimizers import bert_adam, warmup_linear
from tests.helpers.plans import assert_same_plan, plan_of
from tests.helpers.tiny_method import (
    EVEN,
    LABEL,
    TinyMethod,
    assert_close,
    assert_updated,
    expected_update,
    initial_params,
    label_chunk,
    outputs,
)

GROUPS = groups_of(EVEN.label, EVEN.confound)
TWO_OF_EACH = replace(LABEL, batch=12)
CONFIG = GroupDroConfig(step_size=0.5)
GROUP_DRO = TinyMethod(group_dro, TWO_OF_EACH, CONFIG, train=EVEN)


def test_group_losses_come_first():
    plan = plan_of("group_dro")
    for _, step in groupby(plan, key=lambda work: work.step):
        step = [w for w in step if w.kind not in ("cid", "accuracy")]
        if not step:
            continue
        kinds = [(kind, len(list(works))) for kind, works in groupby(w.kind for w in step)]
        assert kinds == [
            ("group_losses", 6),  # 24 examples, 4 at once
            ("group_weights", 1),
            ("label", 6),
            ("label_update", 1),
        ]
        first, second = ([w._replace(kind="", cost=0) for w in w6] for w6 in (step[:6], step[7:13]))
        assert_same_plan(first, second)  # also the same dropout
        assert not any("dropout" not in w.arrays for w in first)


def losses_of(params, chunks):
    """Label losses of chunks, one after the other, with their dropout."""
    rows = [outputs(params, c["examples"], jax.random.key(c["dropout"])).logits for c in chunks]
    labels = [c["examples"]["label"] for c in chunks]
    return cross_entropy(jnp.concatenate(rows), jnp.concatenate(labels))


@jax.jit
@partial(jax.value_and_grad, has_aux=True)
def weighted_loss(params, chunks, weights):
    losses = losses_of(params, chunks)
    return losses @ weights, losses


def test_two_updates_by_hand():
    rng, tx = np.random.default_rng(3), bert_adam(warmup_linear(0.1, 10))
    q = dict.fromkeys(GROUPS, 1 / 6)
    state = GROUP_DRO.at_peak()
    np.testing.assert_allclose(np.exp(state.log_weights), list(q.values()))
    for seed in (5, 6):
        batch = np.concatenate([rng.choice(group, 2, replace=False) for group in GROUPS.values()])
        batch = rng.permutation(batch)
        chunks = [label_chunk(part, 7, seed, data=EVEN) for part in (batch[:7], batch[7:])]
        places = {group: np.flatnonzero(np.isin(batch, GROUPS[group])) for group in GROUPS}
        (_, losses), _ = weighted_loss(state.params, chunks, np.zeros(14))
        q = {group: q[group] * np.exp(0.5 * losses[places[group]].mean()) for group in GROUPS}
        q = {group: value / sum(q.values()) for group, value in q.items()}
        weights = np.zeros(14)  # the last 2 are not real
        for group in GROUPS:
            weights[places[group]] = q[group] / 2
        (value, _), gradient = weighted_loss(state.params, chunks, weights)
        expected = expected_update(tx, state.label.optimizer, state.params, (value, gradient))
        work = [
            *(("group_losses", chunk) for chunk in chunks),
            ("group_weights", {}),
            *(("label", chunk) for chunk in chunks),
            ("label_update", {}),
        ]
        state, info = GROUP_DRO.run(state, work)
        assert_updated(state.params, state.label, info, "loss", expected)
        assert_close(np.exp(state.log_weights), np.array(list(q.values())))
        assert_close([info[f"weight {group}"] for group in GROUPS], list(q.values()))
        assert not np.any(state.losses)
    assert max(q.values()) > 2 * min(q.values())


def test_weight_decay_of_group_dro():
    """With a gradient of 0, what is left of an update is the decay."""

    def decay(weight_decay, label):
        config = replace(CONFIG, weight_decay=weight_decay)
        method = TinyMethod(group_dro, label, config, train=EVEN)
        state = method.initial()
        state = state._replace(label=state.label._replace(count=jnp.ones(())))
        for _ in range(2):
            state, _ = method.steps["label_update"](state, {})
            state = state._replace(label=state.label._replace(count=jnp.ones(())))
        kernels = (state.params["classifier"]["kernel"], initial_params()["classifier"]["kernel"])
        return float(1 - (kernels[0] / kernels[1]).mean()) / 0.1

    label = replace(TWO_OF_EACH, weight_decay=0.02, warmup=0.1)
    assert decay(None, label) == pytest.approx(0.02)
    assert decay(0.5, label) == pytest.approx(0.5)
