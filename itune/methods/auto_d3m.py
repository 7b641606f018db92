"""Auto-D3M: D3M whose groups are found in the influences of the training data on the reference.

Jain et al. 2024, "Improving subgroup robustness via data selection", for data without groups.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import Dataset, chunks_by_length
from itune.errors import UserError
from itune.groups import groups_of
from itune.influence import cosines, products
from itune.methods.base import Batch, Classifier, Info, Method, Params, Phase, Work
from itune.methods.d3m import D3mConfig, d3m_steps
from itune.methods.label_steps import LabelConfig, label_optimizer
from itune.methods.reference import COSINE, draw_reference, init_reference, scoring_work
from itune.methods.retraining import retraining_plan


class AutoD3mState(NamedTuple):
    """State of D3M, and the scores of a sample with each row of the reference, ``(m, sample)``."""

    params: Params
    label: Phase
    start: Params
    marked: jax.Array
    group: jax.Array
    losses: jax.Array
    sizes: jax.Array
    target: Params
    scores: jax.Array
    attributions: jax.Array


def auto_d3m(
    classifier: Classifier, label: LabelConfig, config: D3mConfig, train: Dataset, seed: int
) -> Method:
    """Make D3M of groups that are found: two of each label, by whom its examples are helped.

    The reference, drawn from each label, is left out of a first training. Each of its examples has
    a vector of scores: how much each of ``sample`` other training examples helps it, the cosine or
    the product of their gradients, divided by the vector's length. The first principal component of
    the vectors of one label divides them in two, by the sign of their projection. These are the
    groups of D3M, which goes on as if they were known: what harms those of highest loss is dropped
    before a second training. Confounds are not made use of; those that are visible are counted
    among what is dropped, and logged.

    This differs from the paper in: 1. scores are exact, of the gradients of one model, in place of
    TRAK; 2. the reference is taken from the training data, not from dev; 3. the principal component
    is that of a sample of the training examples, so that its cost does not grow with them;
    4. projections are of vectors less their mean, where the authors' code takes off none, so that
    no group is empty even where all scores have one sign; 5. BertAdam with decoupled weight decay.
    """
    tx = label_optimizer(label, len(train))
    labels = groups_of(train.label, np.zeros_like(train.label))
    for (y, _), rows in labels.items():
        if len(rows) < 2:
            raise UserError(
                f"method auto_d3m needs 2 or more examples of label {y} and sees 1; add some"
            )
    sizes = [min(len(rows) // 2, 2 * config.reference) for rows in labels.values()]
    sample = min(config.sample, len(train) - sum(sizes))
    score = (cosines if config.score == COSINE else products)(classifier.loss)

    def init(params: Params) -> AutoD3mState:
        state = init_reference(tx, params, train, 2 * len(sizes))
        return AutoD3mState(*state, jnp.zeros((sum(sizes), sample), state.scores.dtype))

    def attributions(state: AutoD3mState, batch: Batch) -> tuple[AutoD3mState, Info]:
        """Rows of the reference with rows of the sample, which lie beside one another."""
        sides = [jax.tree.map(lambda leaf, n=n: leaf[n], batch["examples"]) for n in (0, 1)]
        found = score(state.params, *sides).astype(state.attributions.dtype)
        ends = jnp.array(state.attributions.shape, jnp.int32)[:, None]
        rows, columns = jnp.where(batch["is_real"], batch["places"], ends)
        values = state.attributions.at[rows[:, None], columns[None]].set(found, mode="drop")
        return state._replace(attributions=values), {}

    def find_groups(state: AutoD3mState, batch: Batch) -> tuple[AutoD3mState, Info]:
        parts = jnp.split(state.attributions, np.cumsum(sizes)[:-1])
        halves = [2 * n + halves_of(part) for n, part in enumerate(parts)]
        group = state.group.at[batch["rows"]].set(jnp.concatenate(halves))
        return state._replace(group=group), {}

    def plan() -> list[Work]:
        reference = draw_reference(seed, list(labels.values()), sizes)
        others = np.setdiff1d(np.arange(len(train)), reference)
        drawn = np.random.default_rng([seed, 3]).choice(others, sample, replace=False)
        between = [
            *_attribution_work(train, label, reference, drawn),
            Work("find_groups", 0, {"rows": reference}),
            *scoring_work(train, label, reference, reads_confound=False),
            Work("mark_harmful", 0),
        ]
        return [
            Work("hold_out", 0, {"rows": reference}),
            *retraining_plan(train, label, seed, epochs=label.epochs, between=between),
        ]

    names = [f"y={y} half={half}" for y, _ in labels for half in (0, 1)]
    steps = d3m_steps(classifier, tx, config, train, sum(sizes), names)
    return Method(init, {**steps, "attributions": attributions, "find_groups": find_groups}, plan)


def halves_of(vectors: jax.Array) -> jax.Array:
    """Divide vectors, ``(m, s)``, by their first principal component; 0 where the first is, or 1.

    Scaled to length 1 and centred, they project on it as the first eigenvector of their products.

    >>> vectors = jnp.array([[2.0, 0.1], [0.2, 1.0], [3.0, 0.0], [0.1, 0.9]])
    >>> halves_of(vectors).tolist()
    [0, 1, 0, 1]
    """
    norm = jnp.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / jnp.where(norm > 0, norm, 1)
    centred = unit - jnp.mean(unit, axis=0, keepdims=True)
    along = jnp.linalg.eigh(centred @ centred.T)[1][:, -1]
    return ((along > 0) != (along[0] > 0)).astype(jnp.int32)


def _attribution_work(
    train: Dataset, label: LabelConfig, reference: np.ndarray, drawn: np.ndarray
) -> list[Work]:
    """Return work on all pairs, ``label.chunk`` rows of the reference with as many others."""

    def chunks(rows: np.ndarray) -> Sequence[tuple[np.ndarray, np.ndarray]]:
        return chunks_by_length(train, rows, label.chunk)

    return [
        Work(
            "attributions",
            0,
            {
                "is_real": np.stack([real, is_real]),
                "places": np.stack([places, columns], dtype=np.int32),
            },
            np.stack([reference[places], drawn[columns]]),
            cost=2.0 * label.chunk,
            axis=1,
        )
        for places, real in chunks(reference)
        for columns, is_real in chunks(drawn)
    ]
