"""TracIn over checkpoints: products of gradients, added up along the training run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax

from itune.attribution.attribution import Attribution, Fitted, make_attribution
from itune.attribution.gradient_product import gradient_product
from itune.influence.subsets import Select


def tracin(
    loss: Callable[[Any, Any], jax.Array],
    learning_rates: Sequence[float],
    *,
    select: Select = None,
    chunk: int = 32,
) -> Attribution:
    """Scores by ``sum_c rate_c g_c(trn) . g_c(prb)``, with ``g_c`` the gradient at checkpoint c.

    An estimate of how much the steps on the training example lowered the probe's loss, all along
    the run. It assumes plain gradient descent; with Adam the rates are no more than weights.

    ``fit(checkpoints, train)`` takes a sequence of parameters for ``params``. It is read anew for
    each set of probes, one checkpoint at a time: a sequence that loads what it is asked for keeps
    one of them in memory.

    Args:
        loss: ``loss(params, example) -> scalar``.
        learning_rates: the rate at each checkpoint, in the checkpoints' order.
        select: restricts gradients to a subset of the parameters
            (:data:`~itune.influence.subsets.Select`).
        chunk: probes, and training examples, held in memory at once.

    Raises:
        ValueError: no rates, or (by ``fit``) another number of checkpoints than of rates, or one
            set of parameters in place of a sequence. A score that is not finite names its
            checkpoint.

    Source: TracInCP of Pruthi et al. (2020).
    """
    rates = [float(rate) for rate in learning_rates]
    if not rates:
        raise ValueError("learning_rates is empty; give one rate for each checkpoint")
    product = gradient_product(loss, select=select, chunk=chunk)

    def fit(checkpoints, train):
        if isinstance(checkpoints, Mapping):
            raise ValueError("checkpoints is one set of parameters; give a list, one for each rate")
        if len(checkpoints) != len(rates):
            raise ValueError(
                f"there are {len(checkpoints)} checkpoints but {len(rates)} learning_rates; give "
                "one rate for each checkpoint"
            )

        def products_at(number, probes):
            try:
                return product.fit(checkpoints[number], train).score(probes)
            except ValueError as error:
                raise ValueError(f"checkpoint {number}: {error}") from None

        def score(probes):
            return sum(rate * products_at(number, probes) for number, rate in enumerate(rates))

        return Fitted(score)

    return make_attribution(fit)
