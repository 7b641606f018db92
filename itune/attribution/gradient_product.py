"""Gradient product: what one gradient step on the example does to the probe's loss."""

from itune.attribution.attribution import Attribution, pairwise
from itune.influence import LossFn, Select, products


def gradient_product(loss: LossFn, *, select: Select = None, chunk: int = 32) -> Attribution:
    """Score by ``g_trn . g_prb``, with ``g = grad loss(params, example)``.

    To first order, a step ``params - rate g_trn`` lowers the probe's loss by ``rate`` times that.
    It grows with the length of both gradients, so examples of a large loss lead every ranking;
    :func:`~itune.attribution.gradient_cosine` takes that out.

    Args:
        loss: ``loss(params, example) -> scalar``. Gradients of a
            :class:`~itune.influence.LinenLoss` are never formed where keeping them as factors is
            cheaper.
        select: Restricts gradients to a subset of the parameters (:data:`~itune.influence.Select`).
        chunk: Number of probes, and of training examples, held in memory at once.

    Returns:
        The method, without ``info``.

    Raises:
        ValueError: ``chunk`` is not positive.

    Source: One checkpoint of TracIn (Pruthi et al. 2020), equation 1, without its learning rate.

    >>> import jax.numpy as jnp
    >>> method = gradient_product(lambda w, z: 0.5 * (w @ z["x"] - z["y"]) ** 2)
    >>> train = {"x": jnp.array([[3.0, 0.0], [0.0, 1.0]]), "y": jnp.array([1.0, 1.0])}
    >>> probes = {"x": jnp.array([[2.0, 0.0]]), "y": jnp.array([1.0])}
    >>> method.fit(jnp.zeros(2), train).score(probes).tolist()
    [[6.0, 0.0]]
    """
    return pairwise(products(loss, select=select), chunk=chunk)
