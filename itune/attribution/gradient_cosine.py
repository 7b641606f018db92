"""Gradient cosine: how alike the directions are in which two examples pull the parameters."""

from collections.abc import Callable
from typing import Any

import jax

from itune.attribution.attribution import Attribution, pairwise
from itune.influence.scores import cosines
from itune.influence.subsets import Select


def gradient_cosine(
    loss: Callable[[Any, Any], jax.Array], *, select: Select = None, chunk: int = 32
) -> Attribution:
    """Scores by ``g_trn . g_prb / (|g_trn| |g_prb|)``, between -1 and 1.

    The attribution that influence tuning is built on. Unlike products, a fitted example counts as
    much as one with a large loss. A gradient of exactly 0 scores 0 with everything.

    Args:
        loss: ``loss(params, example) -> scalar``. Gradients of a LinenLoss are never formed where
            keeping them as factors is cheaper, and stay accurate where they all but vanish.
        select: restricts gradients to a subset of the parameters
            (:data:`~itune.influence.subsets.Select`).
        chunk: probes, and training examples, held in memory at once.

    Source: Han & Tsvetkov (2021), section 2.
    """
    return pairwise(cosines(loss, select=select), chunk=chunk)
