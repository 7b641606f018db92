"""Product of experts: a loss that knows p(y|c)."""

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import Dataset, collate
from itune.methods import ExpertsConfig
from itune.methods.finetuning import finetuning
from itune.methods.plans import confounds_read
from itune.methods.product_of_experts import product_of_experts
from itune.optimizers import bert_adam, warmup_linear
from tests.helpers.plans import SEEN, hide, plan_of, used
from tests.helpers.tiny_method import (
    EVEN,
    LABEL,
    TRAIN,
    TinyMethod,
    assert_close,
    assert_updated,
    expected_update,
    initial_params,
    label_chunk,
    outputs,
)

PARTLY_HIDDEN = hide(TRAIN, [8, 11, 20])


def test_confounds_read_by_the_experts():
    plan = plan_of("product_of_experts")
    seen = np.intersect1d(used(plan), SEEN.visible)
    assert confounds_read(plan, SEEN) == len(seen) > 0.9 * len(SEEN.visible)


def prior_by_hand(train, c, classes=3, smoothing=0.5):
    """p(y|c) of visible examples, or p(y) of all."""
    labels = [y for y, d in zip(train.label, train.confound, strict=True) if c in (-1, d)]
    total = len(labels) + smoothing * classes
    return np.array([(labels.count(y) + smoothing) / total for y in range(classes)])


def test_experts_update():
    """Examples 8 and 11 come with p(y): their confounds are hidden."""
    config = ExpertsConfig(smoothing=0.5)
    method = TinyMethod(product_of_experts, LABEL, config, train=PARTLY_HIDDEN)
    state = method.at_peak()
    six = collate(PARTLY_HIDDEN, np.arange(7, 13))
    assert np.flatnonzero(six["confound"] == -1).tolist() == [1, 4]
    priors = np.array([prior_by_hand(PARTLY_HIDDEN, c) for c in six["confound"]])

    def mean_loss(params):
        logits = outputs(params, six, jax.random.key(5)).logits
        likelihoods = jax.nn.softmax(logits) * priors
        right = jnp.take_along_axis(likelihoods, six["label"][:, None], axis=1)[:, 0]
        return -jnp.mean(jnp.log(right / likelihoods.sum(axis=1)))

    chunk = {"examples": six, "is_real": np.ones(6, bool), "dropout": np.uint32(5)}
    after, info = method.run(state, [("label", chunk), ("label_update", {})])
    expected = expected_update(
        bert_adam(warmup_linear(0.1, 20)),
        state.label.optimizer,
        state.params,
        jax.jit(jax.value_and_grad(mean_loss))(state.params),
    )
    assert_updated(after.params, after.label, info, "loss", expected)


def test_accuracy_is_the_models_own():
    """Not that of the product, which knows label 2 from the confound."""
    train = Dataset(TRAIN.input_ids, TRAIN.label, (TRAIN.label == 2).astype(np.int32))
    method = TinyMethod(product_of_experts, LABEL, ExpertsConfig(smoothing=1e-9), train=train)
    chunk = label_chunk(np.arange(24), 24, data=train)
    state, _ = method.run(method.initial(), [("label_without_dropout", chunk)])
    sums = state.label.sums
    logits = np.array(outputs(initial_params(), chunk["examples"], None).logits)
    together = np.where(train.confound == 1, 2, logits[:, :2].argmax(axis=1))
    alone = np.sum(logits.argmax(axis=1) == train.label)
    assert float(sums["accuracy"]) == alone < np.sum(together == train.label)


def test_an_expert_that_knows_nothing():
    """Finetuning, where every confound has equally many of each label."""
    chunk = label_chunk(np.arange(6), 6, data=EVEN)
    experts = TinyMethod(product_of_experts, LABEL, ExpertsConfig(), train=EVEN)
    alone = TinyMethod(finetuning, LABEL, train=EVEN)
    state, expected = (
        method.run(method.initial(), [("label", chunk)])[0] for method in (experts, alone)
    )
    assert_close(state, expected)
    assert any(map(np.any, jax.tree.leaves(state.label.gradient)))
