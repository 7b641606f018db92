"""Three ways to products with the inverse of the damped Hessian ``A``: dense, iterative, sampled.

A solver is ``solver(hessian) -> solve`` with ``solve((m, D)) -> (m, D)``, each row ``A^-1`` times
the given one, and checks what it returns. The table in :mod:`itune.attribution` compares them.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jax.scipy.sparse.linalg import cg

from itune.attribution.checks import require_positive
from itune.attribution.hessian import Hessian
from itune.influence.cosine import inverse_norm, unit_scale

Solve: TypeAlias = Callable[[jax.Array], jax.Array]
"""``solve((m, D)) -> (m, D)``, each row ``A^-1`` times the given one."""

Solver: TypeAlias = Callable[[Hessian], Solve]
"""``solver(hessian) -> solve``."""

_COLUMNS = 32  # of the dense Hessian, computed at once


def exact(*, max_parameters: int = 3000) -> Solver:
    """Make a solver by the eigenvalues of ``A``, formed once in float64: for few parameters.

    Args:
        max_parameters: Largest number of parameters D that is accepted; 3000 take about 150 MB.

    Returns:
        The solver. It raises ValueError where D is larger, or where ``A`` is not positive definite
        to the precision of the parameters; the message says how much damping mends it.
    """

    def solver(hessian: Hessian) -> Solve:
        if hessian.size > max_parameters:
            raise ValueError(
                f"max_parameters must be at least {hessian.size}, the number of parameters, for an "
                f"exact inverse, got {max_parameters}; use conjugate_gradients() or lissa(), or "
                "fewer parameters by select="
            )
        columns = _columns(hessian.product, np.eye(hessian.size, dtype=hessian.dtype))
        values, vectors = _eigen(np.asarray(columns, np.float64), hessian)

        def solve(right: jax.Array) -> jax.Array:
            along = np.asarray(right, np.float64) @ vectors
            return jnp.asarray((along / values) @ vectors.T, hessian.dtype)

        return solve

    return solver


@jax.jit
def _columns(product: Callable[[jax.Array], jax.Array], identity: jax.Array) -> jax.Array:
    return jax.lax.map(product, identity, batch_size=_COLUMNS)


def _eigen(matrix: np.ndarray, hessian: Hessian) -> tuple[np.ndarray, np.ndarray]:
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
    return np.asarray(values), np.asarray(vectors)


def conjugate_gradients(*, tolerance: float | None = None, max_steps: int = 1000) -> Solver:
    """Make a solver by conjugate gradients, for any model.

    Args:
        tolerance: Largest relative residual ``|A x - v| / |v|`` that is accepted; None is the
            square root of the precision, 3e-4 in float32 and 1.5e-8 in float64.
        max_steps: Largest number of Hessian products for each vector.

    Returns:
        The solver. It raises ValueError where a system does not converge, as when ``A`` is not
        positive definite.

    Raises:
        ValueError: A setting is not positive.
    """
    require_positive(max_steps=max_steps)
    if tolerance is not None:
        require_positive(tolerance=tolerance)

    def solver(hessian: Hessian) -> Solve:
        limit = tolerance or float(jnp.finfo(hessian.dtype).eps) ** 0.5
        solve = partial(_cg, hessian.product, limit, max_steps)
        remedy = (
            f"raise damping (now {hessian.damping:.3g}; the damped Hessian must be positive "
            f"definite), max_steps (now {max_steps}), or tolerance"
        )
        return _one_by_one(solve, "conjugate gradients", limit, remedy)

    return solver


@jax.jit
def _cg(
    product: Callable[[jax.Array], jax.Array], tolerance: float, max_steps: int, vector: jax.Array
) -> tuple[jax.Array, jax.Array]:
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
    """Make a solver by a Neumann series with sampled Hessians, for large models and training sets.

    ``x_0 = v``, ``x_{t+1} = v + (I - A_t / scale) x_t`` with ``A_t`` the damped mean Hessian of
    ``batch`` random training examples; ``A^-1 v`` is about ``x_depth / scale``, a mean over
    ``repeats``. With ``A_t = A`` the relative error along an eigenvalue a is
    ``(1 - a / scale)^(depth + 1)``; sampling adds a random error that falls with ``batch``,
    ``repeats`` and ``scale``. The same examples are drawn for every vector.

    Args:
        scale: Number above the largest eigenvalue of any ``A_t``, or the series diverges.
        depth: Number of terms of the series: some times ``scale`` by the smallest eigenvalue of
            ``A``.
        repeats: Number of series to average.
        batch: Number of examples in each ``A_t``.
        seed: Seed of the random generator that draws the examples, a non-negative integer.
        tolerance: Largest relative residual ``|A x - v| / |v|`` that is accepted. 1 only catches
            divergence: a larger residual is worse than that of ``x = 0``.

    Returns:
        The solver. It raises ValueError where the residual exceeds ``tolerance``.

    Raises:
        ValueError: A setting other than the seed is not positive.

    Source: Agarwal, Bullins & Hazan (2017), as in Koh & Liang (2017), section 3.
    """
    require_positive(scale=scale, depth=depth, repeats=repeats, batch=batch, tolerance=tolerance)

    def solver(hessian: Hessian) -> Solve:
        draws = np.random.default_rng(seed).integers(hessian.count, size=(repeats, depth, batch))
        solve = partial(_lissa, hessian.product, hessian.sampled, draws, float(scale))
        remedy = (
            f"raise scale (now {scale:.3g}) above the largest eigenvalue of the damped Hessian of "
            f"any {batch} examples; if it is, raise depth, repeats or batch"
        )
        return _one_by_one(solve, "LiSSA", tolerance, remedy)

    return solver


@jax.jit
def _lissa(
    product: Callable[[jax.Array], jax.Array],
    sampled: Callable[[jax.Array, jax.Array], jax.Array],
    draws: jax.Array,
    scale: float,
    vector: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    def step(estimate: jax.Array, rows: jax.Array) -> tuple[jax.Array, None]:
        return vector + estimate - sampled(rows, estimate) / scale, None

    series = jax.lax.map(lambda draw: jax.lax.scan(step, vector, draw)[0], draws)
    solution = series.mean(axis=0) / scale
    return solution, _relative_residual(product, solution, vector)


def _one_by_one(
    solve: Callable[[jax.Array], tuple[jax.Array, jax.Array]],
    name: str,
    limit: float,
    remedy: str,
) -> Solve:
    """Solve for each row, brought to size one lest its square underflow; check the residuals."""

    def solve_all(vectors: jax.Array) -> jax.Array:
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


def _relative_residual(
    product: Callable[[jax.Array], jax.Array], solution: jax.Array, vector: jax.Array
) -> jax.Array:
    """Compute ``|A x - v| / |v|``; 0 for a vector of zeros."""
    error = product(solution) - vector
    return jnp.linalg.norm(error) * inverse_norm(jnp.vdot(vector, vector))
