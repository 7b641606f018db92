"""BCSI: a finetuned model is mended by the examples whose self-influence on biased models is high.

Bias-conditioned self-influence (Jung et al. 2024, "A simple remedy for dataset bias via
self-influence: a mislabeled sample perspective").
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import Dataset
from itune.errors import UserError, require
from itune.groups import groups_of
from itune.methods.base import (
    Batch,
    Classifier,
    Info,
    Method,
    Outputs,
    Params,
    Phase,
    State,
    Step,
    Work,
    init_phase,
)
from itune.methods.label_steps import (
    FORWARD_COST,
    LABEL_SUMS,
    LabelConfig,
    label_epochs,
    label_losses,
    label_optimizer,
    label_steps,
)
from itune.methods.plans import RESTART, renamed
from itune.methods.retraining import (
    first_training,
    init_retraining,
    later,
    require_epochs,
    restart_step,
    row_chunks,
    set_rows,
    weighted_losses,
    with_rows,
)

LARGEST = 8192
"""Most parameters of a head whose Hessian is formed: 268 MB in float32."""


@dataclass(frozen=True)
class BcsiConfig:
    """Bias-conditioned self-influence; other settings are those of the label steps.

    Attributes:
      models: Number of biased models, which must all agree on an example of the pivotal set.
      epochs: Epochs of each biased model, few, so that it has learned the bias and little else;
        ``label.epochs`` at most.
      q: Exponent of the generalised cross entropy that biased models minimise, from 0, which is
        cross entropy, to 1; a larger one gives less weight to examples that they get wrong.
      damping: Added to the eigenvalues of the Hessian of the head, as a share of their mean.
      share: Share of the examples of each label, those of the highest self-influence, that a biased
        model proposes for the pivotal set.
      remedy_epochs: Passes over the training data that mend the finetuned model.
      learning_rate: Peak learning rate of these passes; none to take ``label.learning_rate``.
      rest: Weight of the loss of all other examples beside that of the pivotal set, which is 1.
    """

    models: int = 3
    epochs: int = 2
    q: float = 0.7
    damping: float = 0.01
    share: float = 0.1
    remedy_epochs: int = 2
    learning_rate: float | None = None
    rest: float = 0.1

    def __post_init__(self) -> None:
        require(self, "a positive integer", lambda v: v >= 1, "models", "epochs", "remedy_epochs")
        require(self, "a number from 0 to 1", lambda v: 0 <= v <= 1, "q", "share")
        require(self, "a positive number", lambda v: v > 0, "damping")
        require(self, "a non-negative number", lambda v: v is None or v >= 0, "learning_rate")
        require(self, "a non-negative number", lambda v: v >= 0, "rest")


class BcsiState(NamedTuple):
    """State of a method that trains several times, with what decides on the pivotal set.

    ``marked`` are its rows; ``scores``, ``(n,)``, are self-influences on the present biased model,
    ``votes``, ``(n,)``, how many have proposed a row; ``hessian``, ``(D, D)``, is first the sum of
    the Hessians of all rows in the head, then the Cholesky factor of their damped mean.
    """

    params: Params
    label: Phase
    start: Params
    marked: jax.Array
    scores: jax.Array
    votes: jax.Array
    hessian: jax.Array


def bcsi(
    classifier: Classifier, label: LabelConfig, config: BcsiConfig, train: Dataset, seed: int
) -> Method:
    """Finetune, then go on with the examples that self-influence on biased models tells apart.

    A biased model is trained for a few epochs from the initial parameters. The self-influence of
    each example z on it, how far leaving z out would raise the loss of z itself, is::

        g_z^T (H + delta I)^-1 g_z        delta = damping trace(H) / D

    with the gradient ``g_z`` of its label loss in the D parameters of the head and the Hessian H of
    the mean loss, both without dropout. It is high where an example contradicts what the model
    goes by. Examples that every biased model has among the highest of their label are the pivotal
    set. Finetuning from the initial parameters is then followed by passes over the training data
    that minimise the mean loss of the pivotal set plus ``rest`` times the mean loss of the others.
    Confounds are not made use of: those that are visible are counted in the pivotal set, and
    logged. Where the pivotal set is empty the passes are further finetuning.

    As in the paper, self-influence is measured on models of early epochs, a small set is made of
    it, and the model is finetuned with that set and the remaining examples. This differs in: 1.
    biased models differ by the order of examples and dropout, not by random initial parameters,
    since the encoder is pretrained; 2. batches are those of finetuning, in which examples have
    weights with the same expected loss, in place of batches drawn from the set and from the others;
    3. BertAdam with decoupled weight decay; 4. shares of each label and the weight of the others
    are settings, to be chosen for the data.
    """
    require_epochs("bcsi", config.epochs, label)
    rate = label.learning_rate if config.learning_rate is None else config.learning_rate
    mending = replace(label, epochs=config.remedy_epochs, learning_rate=rate)
    tx, mending_tx = (label_optimizer(of, len(train)) for of in (label, mending))

    def init(params: Params) -> BcsiState:
        state = init_retraining(tx, params, train)
        size = _head_size(params[classifier.head])
        scores = jnp.zeros(len(train), state.label.count.dtype)
        votes = jnp.zeros(len(train), jnp.int32)
        return BcsiState(*state, scores, votes, jnp.zeros((size, size), scores.dtype))

    def biased(state: State, outputs: Outputs, batch: Batch) -> jax.Array:
        losses = label_losses(state, outputs, batch)
        return -jnp.expm1(-config.q * losses) / config.q if config.q else losses

    def pivotal(state: State) -> jax.Array:
        return pivotal_weights(state.marked, config.rest, state.scores.dtype)

    def mend(state: BcsiState, _: Batch) -> tuple[BcsiState, Info]:
        return state._replace(label=init_phase(mending_tx, state.params, *LABEL_SUMS)), {}

    def plan() -> list[Work]:
        seeds = np.random.default_rng([seed, 2]).integers(2**32, size=config.models + 1)
        between = _marking(train, label)
        work: list[Work] = []
        for number in seeds[:-1].tolist():
            whole = renamed(label_epochs(train, label, number), {"label": "biased"})
            first = first_training(train, label, whole, epochs=config.epochs, between=between)
            work += later(first, work[-1].step if work else 0)
        work += later(label_epochs(train, label, seed), work[-1].step)
        kinds = {"label": "remedy", "label_update": "remedy_update"}
        passes = renamed(label_epochs(train, mending, int(seeds[-1])), kinds)
        passes = [with_rows(w._replace(note=w.note and f"remedy, {w.note}")) for w in passes]
        return [*work, *later([Work("mend", 0), *passes], work[-1].step)]

    of_biased = label_steps(classifier, tx, biased)
    of_mended = label_steps(classifier, mending_tx, weighted_losses(pivotal))
    steps = {
        **label_steps(classifier, tx),
        "biased": of_biased["label"],
        **_marking_steps(classifier, config, train),
        RESTART: restart_step(tx, train),
        "mend": mend,
        "remedy": of_mended["label"],
        "remedy_update": of_mended["label_update"],
    }
    return Method(init, steps, plan)


def pivotal_weights(marked: jax.Array, rest: float, dtype: np.dtype) -> jax.Array:
    """Return weights ``(n,)`` of mean 1: the marked rows weigh together 1, all others ``rest``.

    All weigh 1 where none is marked, or every one.

    >>> pivotal_weights(jnp.array([True, False, False, False]), 0.6, np.float32).tolist()
    [2.5, 0.5, 0.5, 0.5]
    """
    share = jnp.mean(marked.astype(dtype))
    weights = jnp.where(marked, 1 / share, rest / (1 - share)) / (1 + rest)
    return jnp.where((share > 0) & (share < 1), weights, 1)


def _head_size(head: Params) -> int:
    classes = head["kernel"].shape[-1]
    size = sum(leaf.size for leaf in jax.tree.leaves(head))
    if size > LARGEST:
        raise UserError(
            f"method bcsi forms the Hessian of the head, which has {size} parameters for {classes} "
            f"labels, and takes {LARGEST} at most; use another method, such as just_train_twice"
        )
    return size


def _marking_steps(classifier: Classifier, config: BcsiConfig, train: Dataset) -> dict[str, Step]:
    """Return the step functions that measure self-influences and make the pivotal set of them."""
    labels = groups_of(train.label, np.zeros_like(train.label)).values()
    chosen = [(rows, max(round(config.share * len(rows)), 1)) for rows in labels]

    def head_inputs(state: BcsiState, batch: Batch) -> tuple[jax.Array, jax.Array]:
        """Return the vectors that the head multiplies, ``(n, d)``, and its probabilities."""
        outputs = classifier.outputs(state.params, batch["examples"], None)
        vectors = outputs.pooled
        if "bias" in state.params[classifier.head]:
            vectors = jnp.concatenate([vectors, jnp.ones_like(vectors[:, :1])], axis=1)
        return vectors, jax.nn.softmax(outputs.logits)

    def curvature(state: BcsiState, batch: Batch) -> tuple[BcsiState, Info]:
        vectors, p = head_inputs(state, batch)
        p = jnp.where(batch["is_real"][:, None], p, 0)
        of_logits = jax.vmap(jnp.diag)(p) - p[:, :, None] * p[:, None, :]
        total = jnp.einsum("nij,na,nb->iajb", of_logits, vectors, vectors)
        return state._replace(hessian=state.hessian + total.reshape(state.hessian.shape)), {}

    def factorise(state: BcsiState, _: Batch) -> tuple[BcsiState, Info]:
        mean = state.hessian / len(train)
        unit = jnp.maximum(jnp.mean(jnp.diag(mean)), jnp.finfo(mean.dtype).eps)
        damped = mean + config.damping * unit * jnp.eye(len(mean), dtype=mean.dtype)
        return state._replace(hessian=jnp.linalg.cholesky(damped)), {}

    def self_influence(state: BcsiState, batch: Batch) -> tuple[BcsiState, Info]:
        vectors, p = head_inputs(state, batch)
        errors = p - jax.nn.one_hot(batch["examples"]["label"], p.shape[1], dtype=p.dtype)
        gradients = (errors[:, :, None] * vectors[:, None, :]).reshape(len(p), -1)
        half = jax.scipy.linalg.solve_triangular(state.hessian, gradients.T, lower=True)
        scores = jnp.sum(half**2, axis=0)
        return state._replace(scores=set_rows(state.scores, batch, scores)), {}

    def vote(state: BcsiState, _: Batch) -> tuple[BcsiState, Info]:
        votes = state.votes
        for rows, count in chosen:
            highest = jax.lax.top_k(state.scores[rows], count)[1]
            votes = votes.at[jnp.asarray(rows)[highest]].add(1)
        hessian = jnp.zeros_like(state.hessian)
        return state._replace(marked=votes == config.models, votes=votes, hessian=hessian), {}

    return {
        "curvature": curvature,
        "factorise": factorise,
        "self_influence": self_influence,
        "vote": vote,
    }


def _marking(train: Dataset, label: LabelConfig) -> list[Work]:
    """Return the work on a biased model: the Hessian, its factor, self-influences, and the vote."""
    rows = np.arange(len(train))
    hessian, scores = (
        row_chunks(train, label, rows, kind, FORWARD_COST)
        for kind in ("curvature", "self_influence")
    )
    return [*hessian, Work("factorise", 0), *scores, Work("vote", 0)]
