"""Gradient cosine: how alike the directions are in which two examples pull the parameters."""

from itune.attribution.attribution import Attribution, pairwise
from itune.influence import LossFn, Select, cosines


def gradient_cosine(loss: LossFn, *, select: Select = None, chunk: int = 32) -> Attribution:
    """Score by ``g_trn . g_prb / (|g_trn| |g_prb|)``, between -1 and 1.

    The attribution that influence tuning is built on. Unlike products, a fitted example counts as
    much as one with a large loss. A gradient of exactly 0 scores 0 with everything.

    Args:
        loss: ``loss(params, example) -> scalar``. Gradients of a
            :class:`~itune.influence.LinenLoss` are never formed where keeping them as factors is
            cheaper, and stay accurate where they all but vanish.
        select: Restricts gradients to a subset of the parameters (:data:`~itune.influence.Select`).
        chunk: Number of probes, and of training examples, held in memory at once.

    Returns:
        The method, without ``info``.

    Raises:
        ValueError: ``chunk`` is not positive.

    Source: Han & Tsvetkov (2021), section 2.

    >>> import jax.numpy as jnp
    >>> method = gradient_cosine(lambda w, z: 0.5 * (w @ z["x"] - z["y"]) ** 2)
    >>> train = {"x": jnp.array([[3.0, 0.0], [0.0, 1.0]]), "y": jnp.array([1.0, 1.0])}
    >>> probes = {"x": jnp.array([[2.0, 0.0]]), "y": jnp.array([-1.0])}
    >>> method.fit(jnp.zeros(2), train).score(probes).tolist()    # the first pulls the other way
    [[-1.0, 0.0]]
    """
    return pairwise(cosines(loss, select=select), chunk=chunk)
