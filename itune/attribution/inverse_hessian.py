"""Three ways to products with the inverse of the damped Hessian ``A``: dense, iterative, sampled.

A solver is ``solver(hessian) -> solve`` with ``solve((m, D)) -> (m, D)``, each row ``A^-1`` times
the given one. Each checks what it returns.

============================ ======================= ============================= ================
solver                       error                   cost, in Hessian products     memory
============================ ======================= ============================= ================
:func:`exact`                rounding                D once (and D^3 once)         ``D^2``
:func:`conjugate_gradients`  set by ``tolerance``    steps, for each vector        some vectors
:func:`lissa`                random                  ``repeats depth batch / N``,  some vectors
                                                     and 1, for each vector
============================ ======================= ============================= ================

A Hessian product goes once through the training set, at about three times the cost of its gradient.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jax.scipy.sparse.linalg import cg

from itune.attribution.checks import require_positive
from itune.attribution.hessian import Hessian
from itune.influence.cosine import inverse_norm, unit_scale

Solve = Callable[[jax.Array], jax.Array]
Solver = Callable[[Hessian], Solve]

_COLUMNS = 32  # of the dense Hessian, computed at once


def exact(*, max_parameters: int = 3000) -> Solver:
    """Forms ``A`` and its eigenvalues, once, in float64: for small models or few parameters.

    Args:
        max_parameters: the largest D that is accepted; 3000 take about 150 MB.

    Raises:
        ValueError: (by the solver) D is larger, or ``A`` is not positive definite to the precision
            of the parameters; the message says how much damping mends it.
    """

    def solver(hessian):
        if hessian.size > max_parameters:
            raise ValueError(
                f"the exact inverse of a Hessian in {hessian.size} parameters is refused, because "
                f"max_parameters is {max_parameters}; take conjugate_gradients() or lissa(), or "
                "fewer parameters by select="
            )
        columns = _columns(hessian.product, np.eye(hessian.size, dtype=hessian.dtype))
        values, vectors = _eigen(np.asarray(columns, np.float64), hessian)

        def solve(right):
            along = np.asarray(right, np.float64) @ vectors
            return jnp.asarray((along / values) @ vectors.T, hessian.dtype)

        return solve

    return solver


@jax.jit
def _columns(product, identity):
    return jax.lax.map(product, identity, batch_size=_COLUMNS)


def _eigen(matrix, hessian):
    if not np.isfinite(matrix).all():
        raise ValueError(
            "the Hessian of the training losses is not finite; look for NaN, infinity or huge "
            "numbers in the parameters and in the training examples"
        )
    values, vectors = scipy.linalg.eigh((matrix + matrix.T) / 2)
    if values[0] <= float(jnp.finfo(hessian.dtype).eps) * values[-1]:
        raise ValueError(
            f"the damped Hessian is not positive definite, its smallest eigenvalue is "
            f"{values[0]:.3g}; raise damping from {hessian.damping:.3g} above "
            f"{max(hessian.damping - values[0], 0):.3g}"
        )
    return values, vectors


def conjugate_gradients(*, tolerance: float | None = None, max_steps: int = 1000) -> Solver:
    """Solves each system by conjugate gradients: for any model.

    Args:
        tolerance: the largest ``|A x - v| / |v|`` that is accepted; None is the square root of the
            precision, 3e-4 in float32 and 1.5e-8 in float64.
        max_steps: Hessian products for each vector, at most.

    Raises:
        ValueError: a setting is not positive; or (when solving) a system did not converge, as when
            ``A`` is not positive definite.
    """
    require_positive(max_steps=max_steps)
    if tolerance is not None:
        require_positive(tolerance=tolerance)

    def solver(hessian):
        limit = tolerance or float(jnp.finfo(hessian.dtype).eps) ** 0.5
        solve = partial(_cg, hessian.product, limit, max_steps)
        remedy = (
            f"raise damping (now {hessian.damping:.3g}; the damped Hessian must be positive "
            f"definite), max_steps (now {max_steps}), or tolerance"
        )
        return _one_by_one(solve, "conjugate gradients", limit, remedy)

    return solver


@jax.jit
def _cg(product, tolerance, max_steps, vector):
    # The recurrence's own residual drifts from the true one: aim for half.
    solution, _ = cg(product, vector, tol=tolerance / 2, maxiter=max_steps)
    return solution, _relative_residual(product, solution, vector)


def lissa(
    *,
    scale: float,
    depth: int,
    repeats: int = 1,
    batch: int = 1,
    seed: int = 0,
    tolerance: float = 1.0,
) -> Solver:
    """Sums a Neumann series with sampled Hessians: for large models and large training sets.

    ``x_0 = v``, ``x_{t+1} = v + (I - A_t / scale) x_t`` with ``A_t`` the damped mean Hessian of
    ``batch`` random training examples; ``A^-1 v`` is about ``x_depth / scale``, a mean over
    ``repeats``. With ``A_t = A`` the relative error along an eigenvalue a is
    ``(1 - a / scale)^(depth + 1)``; sampling adds a random error that falls with ``batch``,
    ``repeats`` and ``scale``. The same examples are drawn for every vector.

    Args:
        scale: larger than the largest eigenvalue of any ``A_t``, or the series diverges.
        depth: terms of the series; some times ``scale`` by the smallest eigenvalue of ``A``.
        repeats: series to average.
        batch: examples in each ``A_t``.
        seed: of the examples that are drawn.
        tolerance: the largest ``|A x - v| / |v|`` that is accepted. 1 only catches divergence: a
            larger residual is worse than that of ``x = 0``.

    Raises:
        ValueError: a setting is not positive; or (when solving) the residual exceeds ``tolerance``.

    Source: Agarwal, Bullins & Hazan (2017), as in Koh & Liang (2017), section 3.
    """
    require_positive(scale=scale, depth=depth, repeats=repeats, batch=batch, tolerance=tolerance)

    def solver(hessian):
        draws = np.random.default_rng(seed).integers(hessian.count, size=(repeats, depth, batch))
        solve = partial(_lissa, hessian.product, hessian.sampled, draws, float(scale))
        remedy = (
            f"raise scale (now {scale:.3g}) above the largest eigenvalue of the damped Hessian of "
            f"any {batch} examples; if it is, raise depth, repeats or batch"
        )
        return _one_by_one(solve, "LiSSA", tolerance, remedy)

    return solver


@jax.jit
def _lissa(product, sampled, draws, scale, vector):
    def step(estimate, rows):
        return vector + estimate - sampled(rows, estimate) / scale, None

    series = jax.lax.map(lambda draw: jax.lax.scan(step, vector, draw)[0], draws)
    solution = series.mean(axis=0) / scale
    return solution, _relative_residual(product, solution, vector)


def _one_by_one(solve, name: str, limit: float, remedy: str) -> Solve:
    """Solves for each row, brought to size one lest its square underflow; checks the residuals."""

    def solve_all(vectors):
        solutions = []
        for vector in vectors:
            scale = unit_scale(vector)
            solution, residual = solve(scale * vector)
            if not residual <= limit:  # NaN included
                raise ValueError(
                    f"{name} left a relative residual of {residual:.2g}, above the tolerance "
                    f"{limit:.2g}; {remedy}"
                )
            solutions.append(solution / scale)
        return jnp.stack(solutions)

    return solve_all


def _relative_residual(product, solution, vector):
    """``|A x - v| / |v|``, and 0 for a vector of zeros."""
    error = product(solution) - vector
    return jnp.linalg.norm(error) * inverse_norm(jnp.vdot(vector, vector))
