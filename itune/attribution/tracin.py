"""TracIn over checkpoints: products of gradients, added up along the training run."""

from collections.abc import Mapping, Sequence

import numpy as np

from itune.attribution.attribution import Attribution, Fitted, make_attribution
from itune.attribution.gradient_product import gradient_product
from itune.influence import LossFn, Select
from itune.influence.types import Examples, Params


def tracin(
    loss: LossFn,
    learning_rates: Sequence[float],
    *,
    select: Select = None,
    chunk: int = 32,
) -> Attribution:
    """Score by ``sum_c rate_c g_c(trn) . g_c(prb)``, with ``g_c`` the gradient at checkpoint c.

    An estimate of how much the steps on the training example lowered the probe's loss, all along
    the run. It assumes plain gradient descent; with Adam the rates are no more than weights.

    ``fit(checkpoints, train)`` takes a sequence of parameters for ``params``. It is read anew for
    each set of probes, one checkpoint at a time: a sequence that loads what it is asked for keeps
    one of them in memory.

    Args:
        loss: ``loss(params, example) -> scalar``. Gradients of a
            :class:`~itune.influence.LinenLoss` are never formed where keeping them as factors is
            cheaper.
        learning_rates: Learning rate at each checkpoint, in the checkpoints' order.
        select: Restricts gradients to a subset of the parameters (:data:`~itune.influence.Select`).
        chunk: Number of probes, and of training examples, held in memory at once.

    Returns:
        The method, without ``info``.

    Raises:
        ValueError: There is no rate or ``chunk`` is not positive; or, when fitting, the number of
            checkpoints is not that of the rates, or one set of parameters stands in place of a
            sequence. A score that is not finite names its checkpoint.

    Source: TracInCP of Pruthi et al. (2020).

    >>> import jax.numpy as jnp
    >>> method = tracin(lambda w, z: 0.5 * (w - z) ** 2, learning_rates=[0.5, 0.25])
    >>> checkpoints, train = [jnp.array(0.0), jnp.array(1.0)], jnp.array([-2.0, 3.0])
    >>> method.fit(checkpoints, train).score(jnp.array([2.0])).tolist()
    [[-2.75, 3.5]]
    """
    rates = [float(rate) for rate in learning_rates]
    if not rates:
        raise ValueError("learning_rates must have one rate for each checkpoint, got none")
    product = gradient_product(loss, select=select, chunk=chunk)

    def fit(checkpoints: Sequence[Params], train: Examples) -> Fitted:
        if isinstance(checkpoints, Mapping):
            raise ValueError(
                "checkpoints must be a list, one for each rate, got one set of parameters"
            )
        if len(checkpoints) != len(rates):
            raise ValueError(
                f"checkpoints must be as many as learning_rates, {len(rates)}, got "
                f"{len(checkpoints)}"
            )

        def products_at(number: int, probes: Examples) -> np.ndarray:
            try:
                return product.fit(checkpoints[number], train).score(probes)
            except ValueError as error:
                raise ValueError(f"checkpoint {number}: {error}") from None

        def score(probes: Examples) -> np.ndarray:
            return np.asarray(
                sum(rate * products_at(number, probes) for number, rate in enumerate(rates))
            )

        return Fitted(score)

    return make_attribution(fit)
