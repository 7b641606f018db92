"""Last layer retraining: a head for balanced data, on an encoder that stays."""

from collections import Counter
from dataclasses import replace
from itertools import groupby

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from itune.data.dataset import Dataset, collate
from itune.influence import cross_entropy
from itune.methods import LastLayerConfig
from itune.methods.last_layer_retraining import last_layer_retraining
from itune.methods.plans import confounds_read
from itune.optimizers import bert_adam, warmup_linear
from tests.helpers.plans import (
    LAST_LAYER,
    SCHEDULE,
    SEEN,
    group_counts,
    plan_of,
    used,
    visible_counts,
)
from tests.helpers.tiny_method import (
    EVEN,
    LABEL,
    TRAIN,
    TinyMethod,
    assert_close,
    assert_updated,
    expected_update,
    label_chunk,
    outputs,
)

CONFIG = LastLayerConfig(epochs=5, learning_rate=0.1)
METHODS = {
    start: TinyMethod(last_layer_retraining, LABEL, replace(CONFIG, start=start), train=EVEN)
    for start in ("zero", "finetuned")
}


@pytest.mark.parametrize("start", ["zero", "finetuned"])
@pytest.mark.parametrize(("batch", "updates"), [(25, 4 * 1), (7, 4 * 2), (18, 4 * 1)])
def test_head_updates(start, batch, updates):
    """18 examples, 3 of each group: a larger batch takes them all."""
    label = replace(SCHEDULE, batch=batch)
    config = replace(LAST_LAYER, start=start)
    plan = plan_of("last_layer_retraining", label=label, last_layer=config)
    after = plan[len(plan_of("finetuning", label=label)) :]
    kinds = [kind for kind, _ in groupby(w.kind for w in after)]
    zero = ["zero_head"] if start == "zero" else []
    assert kinds == [*zero, *["head", "head_update"] * updates, "cid", "accuracy"]
    assert {w.step for w in after} == {3 * (150 // batch)} and after[-1].note == "end"
    uses = Counter(used(plan, "head").tolist())
    assert group_counts(list(uses)) == dict.fromkeys(visible_counts(SEEN), 3)
    assert sum(uses.values()) == updates * min(batch, 18)
    assert confounds_read(plan, SEEN) == 18


@pytest.mark.parametrize("start", METHODS)
def test_the_encoder_stays_bit_for_bit(start):
    method = METHODS[start]
    state = method.at_peak()
    before = jax.tree.map(np.array, state.params)
    if start == "zero":
        state, info = method.run(state, [("zero_head", {})])
        assert info == {} and not any(map(np.any, jax.tree.leaves(state.params["classifier"])))
    chunks = [("head", label_chunk([7, 8, 9])), ("head", label_chunk([10, 11]))]
    for _ in range(2):
        state, info = method.run(state, [*chunks, ("head_update", {})])
    assert set(info) == {"loss", "accuracy", "gradient_norm", "step_norm"}
    heads = state.params.pop("classifier"), before.pop("classifier")
    jax.tree.map(np.testing.assert_array_equal, state.params, before)
    assert np.all(heads[0]["kernel"] != heads[1]["kernel"])


def test_head_update():
    """One update by the mean over five, without dropout, from where finetuning left the head."""
    method = METHODS["finetuned"]
    state = method.at_peak()
    tx, five = bert_adam(warmup_linear(0.1, 20)), collate(TRAIN, np.arange(7, 12))
    state, _ = method.run(state, [("head", label_chunk([1])), ("head_update", {})])

    def mean_loss(head):
        logits = outputs(state.params | {"classifier": head}, five, None).logits
        return cross_entropy(logits, five["label"]).mean()

    head = state.params["classifier"]
    value_and_gradient = jax.jit(jax.value_and_grad(mean_loss))(head)
    expected = expected_update(tx, state.head.optimizer, head, value_and_gradient)
    work = [("head", label_chunk([7, 8, 9])), ("head", label_chunk([10, 11])), ("head_update", {})]
    after, info = method.run(state, work)
    assert_updated(after.params["classifier"], after.head, info, "loss", expected)
    assert_close(after.label, state.label)


def test_retraining_reaches_the_optimum():
    """Its second phase, as planned, against BFGS on pooled vectors."""
    rng = np.random.default_rng(4)
    rows = [rng.integers(1, 9, length).astype(np.int32) for length in rng.integers(2, 9, 90)]
    label, confound = (rng.integers(0, n, 90).astype(np.int32) for n in (3, 2))
    train = Dataset(rows, label, confound)
    config = LastLayerConfig(epochs=400, weight_decay=0.0, learning_rate=0.05)
    whole = replace(LABEL, batch=90, epochs=1, chunk=90)
    method = TinyMethod(last_layer_retraining, whole, config, train=train)
    work = [w for w in method.method.plan() if w.kind in ("zero_head", "head", "head_update")]
    state, subset = method.initial(), np.unique(used(work, "head"))
    examples = collate(train, np.sort(subset))
    pooled = outputs(state.params, examples, None).pooled
    for w in work:
        batch = w.arrays | ({} if w.examples is None else {"examples": collate(train, w.examples)})
        state, info = method.steps[w.kind](state, batch)

    @jax.jit
    @jax.value_and_grad
    def loss(flat):
        kernel, bias = flat[:12].reshape(4, 3), flat[12:]
        return cross_entropy(pooled @ kernel + bias[None], examples["label"]).mean()

    best = scipy.optimize.minimize(loss, np.zeros(15), jac=True, method="BFGS")
    head = state.params["classifier"]
    value, gradient = loss(jnp.concatenate([head["kernel"].ravel(), head["bias"]]))
    zero, _ = loss(jnp.zeros(15))
    assert zero - best.fun > 0.05 and jnp.linalg.norm(gradient) < 1e-3
    assert float(value) == pytest.approx(best.fun, abs=1e-5)
    assert float(info["loss"]) == pytest.approx(best.fun, abs=1e-4)
