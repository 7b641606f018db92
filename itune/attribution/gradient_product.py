"""Gradient product: what one gradient step on the example does to the probe's loss."""

from collections.abc import Callable
from typing import Any

import jax

from itune.attribution.attribution import Attribution, pairwise
from itune.influence.scores import products
from itune.influence.subsets import Select


def gradient_product(
    loss: Callable[[Any, Any], jax.Array], *, select: Select = None, chunk: int = 32
) -> Attribution:
    """Scores by ``g_trn . g_prb``, with ``g = grad loss(params, example)``.

    To first order, a step ``params - rate g_trn`` lowers the probe's loss by ``rate`` times that.
    It grows with the length of both gradients, so examples of a large loss lead every ranking;
    :func:`~itune.attribution.gradient_cosine` takes that out.

    Args:
        loss: ``loss(params, example) -> scalar``. Gradients of a LinenLoss are never formed where
            keeping them as factors is cheaper.
        select: restricts gradients to a subset of the parameters
            (:data:`~itune.influence.subsets.Select`).
        chunk: probes, and training examples, held in memory at once.

    Source: one checkpoint of TracIn (Pruthi et al. 2020), equation 1, without its learning rate.
    """
    return pairwise(products(loss, select=select), chunk=chunk)
