"""Adversarial training: a second head learns the confound, the encoder unlearns it.

The head's gradient reaches the encoder multiplied by ``-reversal`` (gradient reversal: Ganin &
Lempitsky 2015). The baseline of Han & Tsvetkov 2021, section 5.1.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from itune.data.dataset import Dataset
from itune.errors import require
from itune.influence import cross_entropy
from itune.methods.balance import require_confounds
from itune.methods.base import (
    Batch,
    Classifier,
    Info,
    Method,
    Params,
    Phase,
    Work,
    collect,
    init_phase,
    update,
)
from itune.methods.label_steps import (
    LABEL_SUMS,
    LabelConfig,
    label_epochs,
    label_optimizer,
    label_sums,
)


@dataclass(frozen=True)
class AdversarialConfig:
    """Adversarial training; other settings are those of the label steps.

    Attributes:
      epochs: Passes over the training data, in place of ``label.epochs``.
      learning_rate: Peak learning rate, in place of ``label.learning_rate``.
      reversal: Weight of the reversed gradient in the encoder, lambda in the paper.
    """

    epochs: int = 20
    learning_rate: float = 5e-5
    reversal: float = 0.3

    def __post_init__(self) -> None:
        require(self, "a positive integer", lambda v: v >= 1, "epochs")
        require(self, "a non-negative number", lambda v: v >= 0, "learning_rate", "reversal")


class AdversarialState(NamedTuple):
    """State of adversarial training; ``adversary`` is the head that predicts the confound."""

    params: Params
    adversary: Params
    label: Phase


def adversarial(
    classifier: Classifier,
    label: LabelConfig,
    config: AdversarialConfig,
    train: Dataset,
    seed: int,
) -> Method:
    """Minimise label loss plus confound loss, whose gradient is reversed in the encoder.

    The confound loss of an example whose confound is hidden is 0; the losses of the others are
    scaled so that their mean over the training data has weight 1.
    """
    label = replace(label, epochs=config.epochs, learning_rate=config.learning_rate)
    tx = label_optimizer(label, len(train))
    require_confounds(train, "adversarial")
    scale = len(train) / len(train.visible)
    size = int(train.confound.max()) + 1

    def init(params: Params) -> AdversarialState:
        dtype = jnp.result_type(*jax.tree.leaves(params))
        kernel = 0.02 * jax.random.normal(jax.random.key(seed), (classifier.width, size), dtype)
        adversary = {"kernel": kernel, "bias": jnp.zeros(size, dtype)}
        phase = init_phase(tx, _both(params, adversary), *LABEL_SUMS, "confound_loss")
        return AdversarialState(params, adversary, phase)

    def gradient(
        state: AdversarialState, batch: Batch, key: jax.Array | None
    ) -> tuple[AdversarialState, Info]:
        def sums(
            both: dict[str, Params],
        ) -> tuple[jax.Array, tuple[jax.Array, jax.Array, jax.Array]]:
            outputs = classifier.outputs(both["params"], batch["examples"], key)
            loss, right = label_sums(state, outputs, batch)
            adversary, pooled = both["adversary"], reverse(config.reversal, outputs.pooled)
            logits = pooled @ adversary["kernel"] + adversary["bias"][None]
            confound = batch["examples"]["confound"]
            counts = batch["is_real"] & (confound >= 0)
            losses = cross_entropy(logits, jnp.maximum(confound, 0))
            confound_loss = scale * jnp.sum(jnp.where(counts, losses, 0))
            return loss + confound_loss, (loss, right, confound_loss)

        both = _both(state.params, state.adversary)
        grads, (loss, right, confound_loss) = jax.grad(sums, has_aux=True)(both)
        means = {"loss": loss, "accuracy": right, "confound_loss": confound_loss}
        phase = collect(state.label, grads, jnp.sum(batch["is_real"]), **means)
        return state._replace(label=phase), {}

    def label_step(state: AdversarialState, batch: Batch) -> tuple[AdversarialState, Info]:
        return gradient(state, batch, jax.random.key(batch["dropout"]))

    def label_update(state: AdversarialState, _: Batch) -> tuple[AdversarialState, Info]:
        phase, both, info = update(tx, state.label, _both(state.params, state.adversary))
        return AdversarialState(both["params"], both["adversary"], phase), info

    def plan() -> list[Work]:
        return label_epochs(train, label, seed, reads_confound=True)

    return Method(init, {"label": label_step, "label_update": label_update}, plan)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def reverse(weight: float, x: jax.Array) -> jax.Array:
    """Return ``x``; the backward pass multiplies by ``-weight``."""
    return x


def _forward(weight: float, x: jax.Array) -> tuple[jax.Array, None]:
    return x, None


def _backward(weight: float, _: None, cotangent: jax.Array) -> tuple[jax.Array]:
    return (-weight * cotangent,)


reverse.defvjp(_forward, _backward)


def _both(params: Params, adversary: Params) -> dict[str, Params]:
    return {"params": params, "adversary": adversary}
