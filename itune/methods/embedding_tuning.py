"""Embedding tuning: influence tuning with influence restricted to the label's row of the head.

The gradient of the label loss in that row is ``(p(y) - 1) h`` with the pooled vector h, so the
influence of two examples of one label is the cosine of their pooled vectors (Han & Tsvetkov 2021,
section 4.1). It does not depend on the head, which rounds leave unchanged, as in the released code.
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
from itune.methods.base import Classifier, Method, Params
from itune.methods.label_steps import LabelConfig
from itune.methods.rounds import RoundConfig, RoundCosts

COSTS = RoundCosts(tuple=1.1, pool=1.1)


@dataclass(frozen=True)
class EmbeddingConfig(RoundConfig):
    """Rounds of embedding tuning."""

    section: ClassVar[str] = "embedding"

    epochs: int = 10


def embedding_tuning(
    classifier: Classifier,
    label: LabelConfig,
    embedding: EmbeddingConfig,
    train: Dataset,
    seed: int,
) -> Method:
    """Alternate label steps with steps on the influence loss of pooled vectors."""

    def pooled(params: Params, examples: dict[str, Any]) -> jax.Array:
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


def embedding_value_and_grad(pooled: Callable[[Params, Any], jax.Array]) -> Derivative:
    """Build the influence loss whose influences are cosines of pooled vectors, and its gradient.

    A vector of zeros has cosine 0 with everything.
    """

    def mean_loss(params: Params, batch: Tuples | Pool) -> tuple[jax.Array, InfluenceInfo]:
        if isinstance(batch, Pool):
            vectors = _over(pooled, params, batch.examples, axes=batch.is_real.ndim)
            tuples, count = Pool(vectors, batch.is_real).tuples(), batch.size(vectors.dtype)
        else:
            vectors = _over(pooled, params, jax.vmap(joined)(batch), axes=2)
            tuples = Tuples(vectors[:, 0], vectors[:, 1:], batch.weights)
            count = batch.weights.shape[0]
        influences = _influences(tuples.probe, tuples.partners)
        delta = delta_of(influences, tuples.weights.astype(influences.dtype))
        total = jnp.sum(delta**2)
        return total / jnp.maximum(count, 1).astype(total.dtype), InfluenceInfo(delta, influences)

    return jax.value_and_grad(mean_loss, has_aux=True)


def _over(
    function: Callable[[Params, Any], jax.Array], params: Params, examples: Any, *, axes: int
) -> jax.Array:
    """Apply a function of examples with one leading axis to examples with several."""
    leading = jax.tree.leaves(examples)[0].shape[:axes]
    flat = jax.tree.map(lambda leaf: leaf.reshape((-1, *leaf.shape[axes:])), examples)
    rows = function(params, flat)
    return rows.reshape(*leading, *rows.shape[1:])


def _influences(probe: jax.Array, partners: jax.Array) -> jax.Array:
    """Return cosines ``(m, K)`` of ``(m, d)`` with ``(m, K, d)``."""
    dot = jnp.einsum("md,mkd->mk", probe, partners, precision=jax.lax.Precision.HIGHEST)
    return cosine(dot, jnp.sum(probe**2, -1)[:, None], jnp.sum(partners**2, -1))
