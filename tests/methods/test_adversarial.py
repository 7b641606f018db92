"""Adversarial training: one head learns the confound, the encoder unlearns it."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from itune.data.dataset import Dataset, collate
from itune.errors import UserError
from itune.influence import cross_entropy
from itune.methods import AdversarialConfig
from itune.methods.adversarial import adversarial, reverse
from itune.optimizers import bert_adam, warmup_linear
from tests.helpers.tiny_method import (
    CLASSIFIER,
    LABEL,
    TRAIN,
    TinyMethod,
    assert_close,
    label_chunk,
    outputs,
)

CONFIG = AdversarialConfig(epochs=5, learning_rate=0.1, reversal=0.3)
ADVERSARIAL = TinyMethod(adversarial, LABEL, CONFIG)


def test_reverse():
    value, gradient = jax.value_and_grad(lambda x: jnp.sum(reverse(0.3, x) ** 3))(jnp.array([2.0]))
    assert float(value) == 8 and gradient.tolist() == pytest.approx([-3.6])


@pytest.mark.parametrize("hidden", [[], [8, 11]])
def test_adversarial_update(hidden):
    """Encoder descends label loss minus 0.3 confound loss; the adversary its own loss."""
    indices = np.arange(7, 13)
    state, key = ADVERSARIAL.at_peak("label"), 5
    examples = collate(TRAIN, indices)
    is_seen = ~np.isin(indices, hidden)
    examples["confound"] = np.where(is_seen, examples["confound"], -1).astype(np.int32)
    chunk = {"examples": examples, "is_real": np.ones(6, bool), "dropout": np.uint32(key)}
    after, info = ADVERSARIAL.run(state, [("label", chunk), ("label_update", {})])

    @jax.jit
    def losses(params, adversary):
        out = outputs(params, examples, jax.random.key(key))
        logits = out.pooled @ adversary["kernel"] + adversary["bias"][None]
        own = jnp.take_along_axis(
            jax.nn.log_softmax(logits), jnp.maximum(examples["confound"], 0)[:, None], axis=1
        )[:, 0]
        label_loss = cross_entropy(out.logits, examples["label"]).mean()
        return label_loss, -jnp.sum(jnp.where(is_seen, own, 0)) / 6

    def encoder_loss(params):
        label_loss, confound_loss = losses(params, state.adversary)
        return label_loss - 0.3 * confound_loss

    gradient = {
        "params": jax.jit(jax.grad(encoder_loss))(state.params),
        "adversary": jax.jit(jax.grad(lambda a: losses(state.params, a)[1]))(state.adversary),
    }
    both = {"params": state.params, "adversary": state.adversary}
    tx = bert_adam(warmup_linear(0.1, 20))
    updates, _ = tx.update(gradient, state.label.optimizer, both)
    expected = optax.apply_updates(both, updates)
    assert_close((after.params, after.adversary), (expected["params"], expected["adversary"]))
    assert_close((info["loss"], info["confound_loss"]), losses(state.params, state.adversary))
    assert np.any(after.adversary["kernel"] != state.adversary["kernel"])


def test_hidden_confounds_are_made_up_for():
    """Half of them visible: each counts twice."""
    confound = TRAIN.confound.copy()
    confound[::2] = -1
    train = Dataset(TRAIN.input_ids, TRAIN.label, confound)
    half = TinyMethod(adversarial, LABEL, CONFIG, train=train)
    chunk = label_chunk([7, 9, 11])  # visible to both
    sums = [
        method.run(method.initial(), [("label", chunk)])[0].label.sums
        for method in (ADVERSARIAL, half)
    ]
    assert float(sums[1]["confound_loss"]) == pytest.approx(2 * float(sums[0]["confound_loss"]))


def test_adversarial_needs_two_confounds():
    only = Dataset(TRAIN.input_ids, TRAIN.label, np.zeros(24, np.int32))
    with pytest.raises(UserError, match=r"^method adversarial needs two .* and sees 1; "):
        adversarial(CLASSIFIER, LABEL, CONFIG, only, 1)
