"""Influence functions: the probe's loss, had the model been trained without the example."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.attribution.attribution import Attribution, Fitted, make_attribution
from itune.attribution.checks import require_examples, require_finite_rows, require_positive
from itune.attribution.chunks import each_chunk
from itune.attribution.hessian import RegulariserFn, flatten, make_hessian
from itune.attribution.inverse_hessian import Solve, Solver, exact
from itune.influence import LossFn, Select
from itune.influence.types import Examples, Params
from itune.utils.devices import lay_out, share_out


class Curvature(NamedTuple):
    """The two parts of an influence function: gradients, and a linear system.

    Attributes:
        gradients: ``gradients(examples, what)`` yields arrays ``(n, D)``, a row for each example;
            ``what`` names an example in an error, such as ``"probe"``.
        solve: ``solve((n, D)) -> (n, D)``, each row ``(H + damping I)^-1`` times the given one.
    """

    gradients: Callable[[Examples, str], Iterator[jax.Array]]
    solve: Solve


def influence_functions(
    loss: LossFn,
    *,
    damping: float,
    solver: Solver | None = None,
    regulariser: RegulariserFn | None = None,
    select: Select = None,
    chunk: int = 32,
) -> Attribution:
    """Score by ``(1/N) g_prb^T (H + damping I)^-1 g_trn``.

    With ``params`` at a minimum of ``(1/N) sum_i loss(params, train_i) + regulariser(params)`` and
    ``H`` that objective's Hessian, this is to first order in ``1/N`` the increase of the probe's
    loss if the example's term were taken out of the sum and the minimum found again.

    ================================== =====================================================
    edge case                          what happens
    ================================== =====================================================
    ``params`` not at a minimum        computed all the same; no retraining to compare with
    ``H + damping I`` is indefinite    ``ValueError``; damping mends it
    the solver does not converge       ``ValueError`` with the residual and what to change
    a gradient exactly 0               its scores are 0
    a gradient with NaN or infinity    ``ValueError`` naming the example
    ================================== =====================================================

    Args:
        loss: ``loss(params, example) -> scalar``, twice differentiable, without the regulariser.
        damping: Number added to the Hessian's eigenvalues, in their unit; 0 for a strictly convex
            objective, for a network more than its most negative eigenvalue.
        solver: Solver from :func:`~itune.attribution.exact`,
            :func:`~itune.attribution.conjugate_gradients` or :func:`~itune.attribution.lissa`; None
            is ``exact()``, with its limit on the number of parameters.
        regulariser: ``regulariser(params) -> scalar``, what training adds to the mean loss; None
            adds nothing.
        select: Restricts gradients and Hessian to D of the parameters
            (:data:`~itune.influence.Select`); the others are held constant.
        chunk: Number of examples differentiated at once. Memory: ``chunk`` gradients of size D for
            the probes, and for the training examples; training examples stay on the device.

    Returns:
        The method; its ``info`` is a :class:`~itune.attribution.Curvature`. One system is solved
        for each probe.

    Raises:
        ValueError: ``damping`` is negative or ``chunk`` not positive; or, when fitting or scoring,
            a case in the table.

    Source: Koh & Liang (2017), equation 2, whose score has the opposite sign and no ``1/N``.

    >>> def loss(w, z):
    ...     return 0.5 * (w - z) ** 2                       # fitted by the mean
    >>> train = jnp.array([-1.0, 1.0, 3.0, 5.0])
    >>> method = influence_functions(loss, damping=0.0)
    >>> scores = method.fit(train.mean(), train).score(jnp.array([4.0]))
    >>> scores.tolist()                                     # 3 and 5 pull the mean towards 4
    [[-1.5, -0.5, 0.5, 1.5]]
    """
    if not damping >= 0:
        raise ValueError(f"damping must be 0 or more, got {damping}")
    require_positive(chunk=chunk)
    solver = exact() if solver is None else solver
    hessian = make_hessian(
        loss, damping=float(damping), regulariser=regulariser, select=select, chunk=chunk
    )

    @jax.jit
    def gradient_rows(params: Params, examples: Examples) -> tuple[jax.Array, jax.Array]:
        theta, rebuild = flatten(params, select)
        gradient = jax.grad(lambda theta, example: loss(rebuild(theta), example))
        rows = jax.vmap(gradient, (None, 0))(theta, examples)
        return rows, jnp.isfinite(rows).all(axis=1)

    def fit(params: Params, train: Examples) -> Fitted:
        params = lay_out(params)

        def gradients(examples: Examples, what: str) -> Iterator[jax.Array]:
            start = 0
            for examples_, count in each_chunk(examples, chunk):
                rows, is_finite = gradient_rows(params, share_out(examples_))
                require_finite_rows(np.asarray(is_finite[:count]), f"gradient of {what}", start)
                start += count
                yield rows[:count]

        solve = solver(hessian(params, train))

        def score(probes: Examples) -> np.ndarray:
            blocks = []
            for rows in gradients(probes, "probe"):
                solved = solve(rows)
                products = [_dots(solved, r) for r in gradients(train, "training example")]
                blocks.append(np.concatenate(products, axis=1))
            return np.concatenate(blocks) / require_examples(train, "train")

        return Fitted(score, Curvature(gradients, solve))

    return make_attribution(fit)


@jax.jit
def _dots(a: jax.Array, b: jax.Array) -> jax.Array:
    return jnp.matmul(a, b.T, precision=jax.lax.Precision.HIGHEST)
