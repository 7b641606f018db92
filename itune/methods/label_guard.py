"""What keeps an influence update from working against the labels, which it knows nothing of.

Such an update comes with the examples of its tuples or pools, on which the label loss is taken
without dropout.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from itune.influence.cosine import cosine, rescale
from itune.influence.routes import tree_add, tree_dot
from itune.influence.subsets import Select, mask
from itune.methods.base import Batch, Classifier, Params, Work
from itune.methods.label_steps import label_sums

Sums = TypeVar("Sums")

HALVINGS = 5
"""How often a step is halved before it is left out."""

OfExamples: TypeAlias = Callable[[Params, Batch], Sums]
"""``fun(params, batch)`` of the examples that an update's batch has."""


def with_examples(plan: Sequence[Work], size: int, cost: float) -> list[Work]:
    """Return a plan in which influence updates have their examples, as often as they are used.

    Examples have shape ``(rows, size)``, of which a row is computed at once; the last is filled up
    by what is not real. ``cost`` is that of one example, in gradients of its label loss.
    """
    result, examples, is_real = [], [], []
    for work in plan:
        if work.kind in ("tuples", "pool") and work.examples is not None:
            examples.append(work.examples.ravel())
            is_real.append(_is_used(work).ravel())
        elif work.kind == "influence_update":
            indices, used = np.concatenate(examples), np.concatenate(is_real)
            missing = -len(indices) % size
            arrays = {"is_real": np.pad(used, (0, missing)).reshape(-1, size)}
            work = work._replace(
                arrays={**work.arrays, **arrays},
                examples=np.pad(indices, (0, missing), "edge").reshape(-1, size),
                cost=work.cost + cost * len(indices),
                axis=1,
            )
            examples, is_real = [], []
        result.append(work)
    return result


def make_label_loss(
    classifier: Classifier,
) -> tuple[OfExamples[jax.Array], OfExamples[Params]]:
    """Make the mean label loss, without dropout, of an update's examples, and its gradient."""

    def total(params: Params, chunk: Batch) -> jax.Array:
        outputs = classifier.outputs(params, chunk["examples"], None)
        return label_sums(None, outputs, chunk)[0]

    return partial(_mean, total), partial(_mean, jax.grad(total))


def projected(gradient: Params, of_label: Params, trains: Select) -> tuple[Params, jax.Array]:
    """Take out of a gradient what opposes that of the label loss; also return their cosine.

    ``g - (g . l) / |l|^2 l`` where ``g . l < 0``, else ``g``, over all parameters that ``trains``
    selects at once (PCGrad, Yu et al. 2020).
    """
    direction = rescale(mask(trains, of_label))
    dot, square = tree_dot(gradient, direction), tree_dot(direction, direction)
    factor = jnp.where(dot < 0, dot, 0) / jnp.where(square > 0, square, 1)
    left = jax.tree.map(lambda g, of: g - factor * of, gradient, direction)
    return left, cosine(dot, tree_dot(gradient, gradient), square)


def shortened(
    loss: OfExamples[jax.Array], before: Params, after: Params, batch: Batch, limit: float
) -> tuple[Params, jax.Array, jax.Array]:
    """Halve a step until the label loss of its examples rises by no more than a limit, in nats.

    Return the parameters, the share of the step that is taken, and how often it was halved. After
    :data:`HALVINGS` the share is 0 if it still rises by more: the step is to be left out.
    """
    at_start = loss(before, batch)

    def end(share: jax.Array) -> Params:
        return jax.tree.map(lambda a, b: a + share.astype(a.dtype) * (b - a), before, after)

    def is_over(rise: jax.Array) -> jax.Array:
        return ~(rise <= limit)  # and where it is not finite

    def try_next(tried: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        halvings, share, _ = tried
        return halvings + 1, share / 2, loss(end(share / 2), batch) - at_start

    def goes_on(tried: tuple[jax.Array, ...]) -> jax.Array:
        halvings, _, rise = tried
        return is_over(rise) & (halvings < HALVINGS)

    untried = jnp.int32(-1), jnp.full_like(at_start, 2), jnp.full_like(at_start, jnp.inf)
    halvings, share, rise = jax.lax.while_loop(goes_on, try_next, untried)
    return end(share), jnp.where(is_over(rise), 0, share), halvings


def _is_used(work: Work) -> np.ndarray:
    """Return which examples of tuples or of a pool take part, of their shape."""
    is_real = np.asarray(work.arrays["is_real"])
    if work.kind == "pool":
        return is_real
    return np.column_stack([is_real, np.asarray(work.arrays["weights"]) != 0])


def _mean(sums: Callable[[Params, Batch], Sums], params: Params, batch: Batch) -> Sums:
    """Return the mean over examples of what is summed over each row of them."""

    def add(total: Sums, row: Batch) -> tuple[Sums, None]:
        return tree_add(total, sums(params, row)), None

    rows = {name: batch[name] for name in ("examples", "is_real")}
    shapes = jax.eval_shape(sums, params, jax.tree.map(lambda leaf: leaf[0], rows))
    zeros = jax.tree.map(lambda of: jnp.zeros(of.shape, of.dtype), shapes)
    total, _ = jax.lax.scan(add, zeros, rows)
    count = jnp.sum(batch["is_real"])
    return jax.tree.map(lambda leaf: leaf / count.astype(leaf.dtype), total)
