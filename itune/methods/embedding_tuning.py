"""Embedding tuning: influence tuning with influence restricted to the label's row of the head.

For the weights ``W_(y)`` of the head that score label y, the gradient of the label loss is
``(p(y) - 1) h`` with the pooled vector h, so the influence of two examples of one label, restricted
to these weights, is the cosine of their pooled vectors (Han & Tsvetkov 2021, section 4.1). The
influence loss then needs no second derivatives, and says nothing of the head, which rounds leave
alone, as the released code does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from itune.data.dataset import Dataset
from itune.influence import InfluenceInfo, Pool, Tuples
from itune.influence.cosine import cosine
from itune.influence.tuples import delta_of, joined
from itune.methods.alternating import Derivative, alternating
from itune.methods.base import Classifier, Method
from itune.methods.label_steps import LabelConfig
from itune.methods.rounds import RoundConfig, RoundCosts

COSTS = RoundCosts(tuple=1.1, pool=1.1)


@dataclass(frozen=True)
class EmbeddingConfig(RoundConfig):
    """The influence phase of embedding tuning."""

    section: ClassVar[str] = "embedding"

    epochs: int = 10


def embedding_tuning(
    classifier: Classifier,
    label: LabelConfig,
    embedding: EmbeddingConfig,
    train: Dataset,
    seed: int,
) -> Method:
    """Alternates label steps with steps on the influence loss of pooled vectors.

    Args:
      classifier: the model.
      label: the label phase.
      embedding: the influence phase.
      train: training data.
      seed: of batches, dropout, probes and partners, the same as influence tuning's.
    """

    def pooled(params, examples):
        return classifier.outputs(params, examples, None).pooled

    return alternating(
        classifier,
        label,
        embedding,
        embedding_value_and_grad(pooled),
        COSTS,
        train,
        seed,
        trains=lambda path: path[0] != classifier.head,
    )


def embedding_value_and_grad(pooled: Callable[[Any, Any], jax.Array]) -> Derivative:
    """The mean influence loss with cosines of pooled vectors for influences, and its gradient.

    Args:
      pooled: ``pooled(params, examples) -> (n, d)`` of examples with one leading axis.

    Returns:
      ``fun(params, batch) -> ((J, info), gradient)`` of a :class:`~itune.influence.Tuples` or a
      :class:`~itune.influence.Pool`, as :func:`itune.influence.value_and_grad` has it. A vector of
      zeros has cosine 0 with everything.
    """

    def mean_loss(params, batch):
        if isinstance(batch, Pool):
            vectors = _over(pooled, params, batch.examples, axes=2)
            tuples, count = Pool(vectors, batch.is_real).tuples(), jnp.sum(batch.is_real)
        else:
            vectors = _over(pooled, params, jax.vmap(joined)(batch), axes=2)
            tuples = Tuples(vectors[:, 0], vectors[:, 1:], batch.weights)
            count = batch.weights.shape[0]
        influences = _influences(tuples.probe, tuples.partners)
        delta = delta_of(influences, tuples.weights)
        total = jnp.sum(delta**2)
        return total / jnp.maximum(count, 1).astype(total.dtype), InfluenceInfo(delta, influences)

    return jax.value_and_grad(mean_loss, has_aux=True)


def _over(function, params, examples, *, axes: int):
    """A function of examples with one leading axis, over several."""
    leading = jax.tree.leaves(examples)[0].shape[:axes]
    flat = jax.tree.map(lambda leaf: leaf.reshape((-1, *leaf.shape[axes:])), examples)
    rows = function(params, flat)
    return rows.reshape(*leading, *rows.shape[1:])


def _influences(probe: jax.Array, partners: jax.Array) -> jax.Array:
    """Cosines ``(m, K)`` of ``(m, d)`` with ``(m, K, d)``."""
    dot = jnp.einsum("md,mkd->mk", probe, partners, precision=jax.lax.Precision.HIGHEST)
    return cosine(dot, jnp.sum(probe**2, -1)[:, None], jnp.sum(partners**2, -1))
