"""Label steps interrupted by rounds that minimise an influence loss, whichever it is.

After a round Adam's moments of both optimizers are zeroed (Han & Tsvetkov 2021, section 4).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from itune.data.access import hide_lone, with_only
from itune.data.dataset import Dataset
from itune.data.sampling import balance_batch, batches_of, halves
from itune.errors import UserError
from itune.groups import groups_of, require_partners
from itune.influence import Pool, Tuples
from itune.influence.types import Path
from itune.methods.base import (
    ACCURACY,
    CID,
    Batch,
    Classifier,
    Info,
    Method,
    Params,
    Phase,
    Step,
    Work,
    collect,
    init_phase,
    update,
)
from itune.methods.label_guard import make_label_loss, projected, shortened, with_examples
from itune.methods.label_steps import (
    FORWARD_COST,
    LABEL_SUMS,
    LabelConfig,
    label_optimizer,
    label_plan,
    label_steps,
    label_work,
)
from itune.methods.rounds import (
    BALANCED,
    HALVES,
    KEPT,
    LABEL,
    LEFT_OUT,
    POOLED,
    PROJECTED,
    RoundConfig,
    RoundCosts,
    draw_pools_round,
    draw_tuples_round,
    longest_interval,
    starts_round,
)
from itune.optimizers import bert_adam, reset_moments, warmup_linear

Derivative = Callable[[Params, Tuples | Pool], tuple[tuple[jax.Array, Any], Params]]
"""``derivative(params, batch) -> ((mean influence loss, info), gradient)``, with the signature of
what :func:`itune.influence.value_and_grad` returns."""


class AlternatingState(NamedTuple):
    """State of influence tuning and embedding tuning."""

    params: Params
    label: Phase
    influence: Phase


def alternating(
    classifier: Classifier,
    label: LabelConfig,
    rounds: RoundConfig,
    derivative: Derivative,
    costs: RoundCosts,
    train: Dataset,
    seed: int,
    *,
    trains: Callable[[Path], bool] = lambda path: True,
) -> Method:
    """Return a method that alternates label steps with steps on an influence loss.

    Batches and dropout are those of finetuning with this seed. A parameter that a round does not
    train, and on which the influence loss does not depend, stays as it is in it.
    """
    label_tx = label_optimizer(label, len(train))
    influence_tx = bert_adam(
        rounds.learning_rate, weight_decay=rounds.weight_decay, decays=trains, clip=rounds.clip
    )

    def init(params: Params) -> AlternatingState:
        return AlternatingState(
            params,
            init_phase(label_tx, params, *LABEL_SUMS),
            init_phase(influence_tx, params, "influence_loss"),
        )

    def plan() -> list[Work]:
        work = _plan(train, label, rounds, costs, seed)
        cost = 1.0 * (rounds.directions == PROJECTED)
        cost += 2 * FORWARD_COST * (rounds.max_label_rise is not None)
        return with_examples(work, label.chunk, cost) if cost else work

    of_rounds = _round_steps(classifier, rounds, derivative, influence_tx, trains)
    return Method(init, {**label_steps(classifier, label_tx), **of_rounds}, plan)


def _round_steps(
    classifier: Classifier,
    rounds: RoundConfig,
    derivative: Derivative,
    tx: optax.GradientTransformation,
    trains: Callable[[Path], bool],
) -> dict[str, Step]:
    """Return the step functions of a round, which add to its phase, update by it, and end it."""
    label_loss, label_gradient = make_label_loss(classifier)

    def add(
        state: AlternatingState, batch: Tuples | Pool, size: int | jax.Array, count: jax.Array
    ) -> tuple[AlternatingState, Info]:
        """Add a batch's influence losses and gradient, means over ``size``, of ``count`` probes."""
        (mean, _), gradient = derivative(state.params, batch)
        size = jnp.asarray(size, mean.dtype)
        gradient = jax.tree.map(lambda g: g * size, gradient)
        phase = collect(state.influence, gradient, count, influence_loss=mean * size)
        return state._replace(influence=phase), {}

    def examples_of(batch: Batch) -> dict[str, Any]:
        """Return the examples, each with the seed of its dropout where there is dropout."""
        return {**batch["examples"], **{k: batch[k] for k in ("dropout",) if k in batch}}

    def tuples(state: AlternatingState, batch: Batch) -> tuple[AlternatingState, Info]:
        probe = jax.tree.map(lambda leaf: leaf[:, 0], examples_of(batch))
        partners = jax.tree.map(lambda leaf: leaf[:, 1:], examples_of(batch))
        weights = batch["weights"].astype(state.influence.count.dtype)
        tuples = Tuples(probe, partners, weights)
        return add(state, tuples, weights.shape[0], jnp.sum(batch["is_real"]))

    def pool(state: AlternatingState, batch: Batch) -> tuple[AlternatingState, Info]:
        count = jnp.sum(batch["is_real"])
        return add(state, Pool(examples_of(batch), batch["is_real"]), count, count)

    def influence_update(state: AlternatingState, batch: Batch) -> tuple[AlternatingState, Info]:
        before, phase, opposed = (state.params, state.influence.optimizer), state.influence, {}
        if rounds.directions == PROJECTED:
            of_label = label_gradient(state.params, batch)
            gradient, opposed["gradient_cosine"] = projected(phase.gradient, of_label, trains)
            phase = phase._replace(gradient=gradient)
        phase, params, info = update(tx, phase, state.params, batch.get("scale"))
        info |= opposed
        left_out = [info["influence_loss"] < rounds.tolerance] if rounds.tolerance else []
        if rounds.max_label_rise is not None:
            params, share, info["halvings"] = shortened(
                label_loss, state.params, params, batch, rounds.max_label_rise
            )
            info["step_norm"] *= share
            left_out.append(share == 0)
        if left_out:
            is_left_out = jnp.any(jnp.stack(left_out))
            chosen = jax.tree.map(
                lambda old, new: jnp.where(is_left_out, old, new), before, (params, phase.optimizer)
            )
            params, phase = chosen[0], phase._replace(optimizer=chosen[1])
            info["step_norm"] = jnp.where(is_left_out, 0, info["step_norm"])
        return state._replace(params=params, influence=phase), info

    def end_round(state: AlternatingState, _: Batch) -> tuple[AlternatingState, Info]:
        if rounds.moments == KEPT:
            return state, {}
        phases = (
            phase._replace(optimizer=reset_moments(phase.optimizer))
            for phase in (state.label, state.influence)
        )
        return AlternatingState(state.params, *phases), {}

    return {
        "tuples": tuples,
        "pool": pool,
        "influence_update": influence_update,
        "end_round": end_round,
    }


def _plan(
    train: Dataset, label: LabelConfig, rounds: RoundConfig, costs: RoundCosts, seed: int
) -> list[Work]:
    dropout, draws = (np.random.default_rng([seed, of]) for of in (1, 2))
    of_rounds, epochs = _shares(train, label, rounds, seed)
    total = sum(map(len, epochs))
    label_rate = warmup_linear(1.0, total, label.warmup)
    work, step, number, waiting, has_dropout = [], 0, 0, 0, True
    for epoch, batches in enumerate(epochs, 1):
        for batch in batches:
            if starts_round(step, total, rounds):
                number += 1
                if rounds.partners == POOLED:
                    round_work = draw_pools_round(of_rounds, rounds, costs, step, draws)
                else:
                    round_work, waiting = draw_tuples_round(
                        of_rounds, rounds, costs, step, waiting, draws
                    )
                if rounds.rate == LABEL:
                    scale = {"scale": np.asarray(label_rate(step), np.float32)}
                    round_work = [
                        of._replace(arrays=scale) if of.kind == "influence_update" else of
                        for of in round_work
                    ]
                work += [
                    Work(CID, step, note=f"before round {number}"),
                    *round_work,
                    Work("end_round", step),
                    Work(CID, step, note=f"after round {number}"),
                ]
                if rounds.schedule == "released":
                    has_dropout = waiting == 0
            work += label_work(
                train,
                label,
                batch,
                step,
                dropout,
                has_dropout=has_dropout,
                reads_confound=rounds.batches == BALANCED,
            )
            step += 1
        work.append(Work(ACCURACY, step, note=f"epoch {epoch}"))
    if not number:
        raise UserError(
            f"{rounds.section}.interval is {rounds.interval}{_limit(rounds)} but there are only "
            f"{total} label steps, so no round would start; {_remedy(rounds, total)}"
        )
    return [*work, Work(CID, step, note="end")]


def _shares(
    train: Dataset, label: LabelConfig, rounds: RoundConfig, seed: int
) -> tuple[Dataset, list[list[np.ndarray]]]:
    """Return the data as rounds see them, and the batches of each epoch of label steps."""
    train = hide_lone(train) if rounds.lone == LEFT_OUT else train
    visible = train.visible
    require_partners(train.label[visible], train.confound[visible])
    order, balance, split = (np.random.default_rng([seed, of]) for of in (0, 3, 5))
    groups = groups_of(train.label[visible], train.confound[visible]).values()
    groups = [visible[rows] for rows in groups]
    if rounds.split == HALVES:
        groups, of_rounds = zip(*(halves(split, group) for group in groups), strict=True)
        train = with_only(train, np.concatenate(of_rounds))
        held_out = np.setdiff1d(train.visible, np.concatenate(groups))
        shape = (label.epochs, len(train) // label.batch, label.batch)
        epochs = batches_of(order, np.delete(np.arange(len(train)), held_out), shape)
    else:
        epochs = label_plan(train, label, order)
    if rounds.batches == BALANCED:
        epochs = [[balance_batch(balance, batch, groups) for batch in of] for of in epochs]
    return train, epochs


def _limit(rounds: RoundConfig) -> str:
    return f" and {rounds.section}.until {rounds.until:g}" if rounds.until < 1 else ""


def _remedy(rounds: RoundConfig, total: int) -> str:
    if longest := longest_interval(total, rounds.until):
        return f"set the interval to {longest} or less"
    return f"raise {rounds.section}.until" if rounds.until < 1 else "raise label.epochs"
