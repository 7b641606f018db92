"""RelatIF: influence for each unit of what an example does to the model as a whole."""

import jax
import jax.numpy as jnp
import numpy as np

from itune.attribution.attribution import Attribution, Fitted, make_attribution
from itune.attribution.checks import require_examples
from itune.attribution.influence_functions import Curvature
from itune.influence.cosine import inverse_norm, unit_scale
from itune.influence.types import Examples, Params

VARIANTS = ("theta", "l")


def relatif(influence: Attribution, *, variant: str) -> Attribution:
    """Score by an influence function over the size of the example's effect on the model.

    With ``A = H + damping I``, the damped Hessian of the influence function::

        theta    g_prb^T A^-1 g_trn / |A^-1 g_trn|
        l        g_prb^T A^-1 g_trn / sqrt(g_trn^T A^-1 g_trn)

    ``theta`` divides by the length of the parameters' change, ``l`` by the root of the mean squared
    change of the losses (where H is close to their Fisher information). Influence functions put
    outliers first, whatever the probe; these favour examples that matter to this probe. The
    influence's ``1/N`` is in both parts of the fraction.

    Args:
        influence: A method from :func:`~itune.attribution.influence_functions`, with any solver.
            ``fit`` solves one system for each training example.
        variant: ``"theta"`` or ``"l"``.

    Returns:
        The method, without ``info``. A training example whose gradient is exactly 0 scores 0.

    Raises:
        ValueError: The variant is unknown; or, when fitting, ``influence`` raises it or is not from
            ``influence_functions``, or an inexact solver gave a negative ``g^T A^-1 g``.

    Source: Barshan, Brunet & Dziugaite (2020), theta-RelatIF and l-RelatIF.

    >>> from itune.attribution import influence_functions
    >>> influence = influence_functions(lambda w, z: 0.5 * (w - z) ** 2, damping=0.0)
    >>> train = jnp.array([-1.0, 1.0, 3.0, 5.0])
    >>> fitted = relatif(influence, variant="theta").fit(train.mean(), train)
    >>> fitted.score(jnp.array([4.0])).round(3).tolist()    # by how far each moves the mean
    [[-2.0, -2.0, 2.0, 2.0]]
    """
    if variant not in VARIANTS:
        raise ValueError(f"variant must be one of {', '.join(VARIANTS)}, got {variant!r}")

    def fit(params: Params, train: Examples) -> Fitted:
        fitted = influence.fit(params, train)
        if not isinstance(fitted.info, Curvature):
            raise ValueError("influence must be a method from influence_functions")
        parts = []
        for rows in fitted.info.gradients(train, "training example"):
            solved = fitted.info.solve(rows)
            parts.append(_inverse_roots(solved if variant == "theta" else rows, solved))
        squares, inverse_sizes = (np.concatenate(part) for part in zip(*parts, strict=True))
        if (squares < 0).any():
            raise ValueError(
                f"g^T (H + damping I)^-1 g of training example {np.argmax(squares < 0)} came out "
                "negative; raise damping, or use a more accurate solver"
            )
        factors = require_examples(train, "train") * inverse_sizes
        return Fitted(lambda probes: fitted.score(probes) * factors)

    return make_attribution(fit)


@jax.jit
def _inverse_roots(a: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Compute each row's ``<a, b>``, scaled lest it underflow, and ``1 / sqrt(<a, b>)``."""

    def of_row(a: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
        scale_a, scale_b = unit_scale(a), unit_scale(b)
        square = jnp.vdot(scale_a * a, scale_b * b, precision=jax.lax.Precision.HIGHEST)
        return square, jnp.sqrt(scale_a) * jnp.sqrt(scale_b) * inverse_norm(square)

    return jax.vmap(of_row)(a, b)
