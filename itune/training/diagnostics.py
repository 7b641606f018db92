"""A closer look at rounds: what they do beside taking CID down, and where they oppose the labels.

CID near 0 on the rows that rounds use can be had without the model leaning less: by fitting those
rows, or by making all influences alike. These measures tell such ends apart.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from itune.data.access import hide_lone
from itune.data.dataset import Dataset, collate_shared
from itune.data.sampling import draw_pools
from itune.errors import UserError
from itune.influence import PAIR_FREE, Pool, value_and_grad
from itune.methods import Classifier
from itune.methods.base import Params
from itune.metrics import make_cid
from itune.metrics.matrix import influences_among
from itune.training.loop import Evaluator
from itune.training.measures import Accuracies
from itune.utils.compiling import jit, memoized
from itune.utils.devices import lay_out

SAMPLE = 64
"""Rows of the fixed stratified sample; two of each group where there are too many groups."""

COST = 12
"""Cost of the sample's influences and gradients a row, in gradients of one example's label loss."""


def make_diagnostics(
    classifier: Classifier, data: Mapping[str, Dataset], accuracies: Accuracies
) -> Evaluator:
    """Build the evaluator of a stratified sample of train, of train's groups, and of dev's CID.

    It gives, by name:

    - ``influence_loss`` of the sample;
    - ``within_mean``, ``within_sd``, ``across_mean``, ``across_sd``: influences between rows of one
      label, and of two labels; all alike where a round has collapsed;
    - ``gradient_cosine``: cosine of the gradient of the influence loss with that of the label loss;
      below 0 where a round undoes what label steps do;
    - ``train_accuracy``, ``train_groups``: accuracies without dropout, which tell whether minority
      groups are fitted;
    - ``dev_cid``, ``dev_cid_standard_error``: CID among rows that no round has seen; None where dev
      has nothing to compare.

    The sample leaves out examples without partners, as rounds do.
    """
    train, dev = data["train"], data["dev"]
    pools = _sample(hide_lone(train))
    rows = np.unique(np.concatenate([indices[is_real] for indices, is_real in pools]))
    is_one_label = train.label[rows][:, None] == train.label[rows][None, :]
    is_other = ~np.eye(len(rows), dtype=bool)
    try:
        dev_cid = make_cid(classifier.loss, dev.subset(dev.visible), probes=np.arange(len(dev)))
    except UserError:
        dev_cid = None

    def evaluate(params: Params) -> dict[str, Any]:
        params = lay_out(params)
        loss, cosine = _gradients(classifier, params, train, pools)
        influences = influences_among(classifier.loss, params, train, rows)
        found: dict[str, Any] = {"influence_loss": loss, "gradient_cosine": cosine}
        for name, pairs in (("within", is_one_label & is_other), ("across", ~is_one_label)):
            found[f"{name}_mean"] = float(influences[pairs].mean()) if pairs.any() else None
            found[f"{name}_sd"] = float(influences[pairs].std()) if pairs.any() else None
        of_train = accuracies(params, train)
        found |= {f"train_{key}": of_train[key] for key in ("accuracy", "groups")}
        of_dev = dev_cid(params).summary() if dev_cid is not None else {}
        for key in ("cid", "cid_standard_error"):
            found[f"dev_{key}"] = of_dev.get(key)
        return found

    return Evaluator(evaluate, cost=COST * len(rows) + 0.3 * len(train) + 1.3 * len(dev))


def _sample(train: Dataset) -> list[tuple[np.ndarray, np.ndarray]]:
    """Draw the sample, always the same for some data."""
    count = max(SAMPLE, 2 * len(np.unique(train.label)) * len(np.unique(train.confound)))
    rng = np.random.default_rng(0)
    return draw_pools(rng, count, train.label, train.confound, train.visible)


def _gradients(
    classifier: Classifier,
    params: Params,
    train: Dataset,
    pools: list[tuple[np.ndarray, np.ndarray]],
) -> tuple[float, float]:
    """Return the influence loss, and the cosine of its gradient with the label loss's."""
    of_pool = _compiled(classifier)
    parts = [
        of_pool(params, Pool(collate_shared(train, indices, axis=1), jnp.asarray(is_real)))
        for indices, is_real in pools
    ]
    value, dot, norms = map(float, jit(_sums)(parts))
    count = sum(int(is_real.sum()) for _, is_real in pools)
    return value / count, dot / norms if norms else 0.0


def _sums(parts: list[tuple[jax.Array, Params, Params]]) -> tuple[Any, Any, Any]:
    """Return the sum of the losses, and the dot product and the norms of the summed gradients."""
    value, of_influence, of_label = jax.tree.map(lambda *leaves: sum(leaves), *parts)
    norms = optax.tree.norm(of_influence) * optax.tree.norm(of_label)
    return value, optax.tree.vdot(of_influence, of_label), norms


@memoized
def _compiled(classifier: Classifier) -> Any:
    """Compile the sums over a pool of the influence loss, its gradient, and the label gradient."""
    derivative = value_and_grad(classifier.loss, route=PAIR_FREE)

    def label_loss(params: Params, pool: Pool) -> jax.Array:
        of_example = jax.vmap(jax.vmap(classifier.loss, (None, 0)), (None, 0))
        return jnp.sum(jnp.where(pool.is_real, of_example(params, pool.examples), 0))

    def of_pool(params: Params, pool: Pool) -> tuple[jax.Array, Params, Params]:
        (mean, _), gradient = derivative(params, pool)
        count = jnp.sum(pool.is_real).astype(mean.dtype)
        scaled = jax.tree.map(lambda leaf: leaf * count, gradient)
        return mean * count, scaled, jax.grad(label_loss)(params, pool)

    return jit(of_pool)
