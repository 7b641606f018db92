"""Coverage: which tensors are selected, how much of the gradient they hold, and a check."""

import math
import warnings
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from itune.influence import factors as factored
from itune.influence.cosine import unit_scale
from itune.influence.factors import Factors
from itune.influence.objective import LinenLoss
from itune.influence.subsets import Select, by_path, cut, mask, selected, selected_shapes
from itune.influence.taps import tapped_calls
from itune.influence.types import Example, Examples, LossFn, Params, Path, PyTree, Tensors
from itune.utils.formats import first_line


class TensorCoverage(NamedTuple):
    """How much of the gradient one tensor holds, and how much of that is selected.

    Attributes:
        path: Path of the tensor in the parameters.
        shape: Shape of the whole tensor.
        share: Share of the gradient's squared norm over all parameters, a mean over examples, 0
            to 1.
        counted: The part of ``share`` that ``select`` keeps: all of it, 0, or that of the slices.
    """

    path: Path
    shape: tuple[int, ...]
    share: float
    counted: float


def coverage(
    loss: LossFn, params: Params, examples: Examples, *, select: Select = None
) -> list[TensorCoverage]:
    """Compute each tensor's share of the gradient, and how much of it ``select`` keeps.

    Shares are of ordinary gradients (``jax.grad``), so they also show what ``select`` leaves out.
    Whether the routes that tap layers see all that is selected is what :func:`check_coverage`
    checks. An example whose gradient is exactly 0 counts as a share of 0 everywhere.

    Args:
        loss: ``loss(params, example) -> scalar``.
        params: Parameters, a nested dict.
        examples: Examples with a leading axis; some tens are enough.
        select: The subset of the parameters (:data:`~itune.influence.Select`).

    Returns:
        One record for each tensor, in the order of the parameters.

    >>> import jax.numpy as jnp
    >>> def loss(params, z):
    ...     return params["w"] @ z + params["b"]
    >>> params = {"w": jnp.zeros(3), "b": jnp.zeros(())}
    >>> for row in coverage(loss, params, jnp.ones((2, 3)), select="w[0:1]"):
    ...     print("/".join(row.path), row.shape, row.share, row.counted)
    b () 0.25 0.0
    w (3,) 0.75 0.25
    """

    @jax.jit
    def shares(params: Params, examples: Examples) -> list[Tensors]:
        def of_example(example: Example) -> tuple[Tensors, Tensors]:
            gradient = jax.grad(loss)(params, example)
            gradient = jax.tree.map(lambda g: g * unit_scale(gradient), gradient)
            return _squares(gradient), _squares(mask(select, gradient))

        whole, counted = jax.vmap(of_example)(examples)
        total = jnp.asarray(sum(whole.values()))
        total = jnp.where(total > 0, total, 1)
        return [{p: jnp.mean(s / total) for p, s in part.items()} for part in (whole, counted)]

    share, counted = shares(params, examples)
    return [
        TensorCoverage(path, leaf.shape, float(share[path]), float(counted[path]))
        for path, leaf in by_path(params).items()
    ]


def format_coverage(rows: Sequence[TensorCoverage], *, depth: int | None = None) -> str:
    """Format coverage as a text table, the largest share first.

    Args:
        rows: Records from :func:`coverage`.
        depth: Number of leading names of a path; tensors that share them are added up. None lists
            every tensor.

    Returns:
        Lines of path, share and counted share, and a last line of the sums.
    """
    parts: dict[Path, list[TensorCoverage]] = {}
    for row in rows:
        parts.setdefault(row.path[:depth], []).append(row)
    shares = {
        path: (sum(r.share for r in part), sum(r.counted for r in part))
        for path, part in parts.items()
    }
    order = sorted(shares, key=lambda path: -shares[path][0])
    names = {path: "/".join(path) for path in order}
    width = max(map(len, ["tensor", *names.values()]))
    lines = [f"{'tensor':{width}}   share  counted"]
    for path in order:
        share, counted = shares[path]
        lines.append(f"{names[path]:{width}}  {share:6.1%}  {counted:7.1%}")
    total = sum(row.counted for row in rows)
    return "\n".join([*lines, f"{'all':{width}}  {1:6.1%}  {total:7.1%}"])


def check_coverage(
    loss: LinenLoss, params: Params, example: Example, *, select: Select = None
) -> None:
    """Check that taps see the whole gradient: compare it with ``jax.grad``, tensor by tensor.

    Taps see layers' calls. A parameter that is also read past its layer (``x @ table.embedding.T``
    beside ``table(ids)``) would lose that part of its gradient without a trace; this finds it.
    Functions that tap a loss call it by themselves, with made-up numbers, unless ``loss.check`` is
    False.

    Args:
        loss: The loss and its module.
        params: The module's parameters, a nested dict.
        example: One example, without a batch axis.
        select: The subset of the parameters to check (:data:`~itune.influence.Select`).

    Raises:
        ValueError: A tensor differs by more than 1e-3 of its norm (16 units of rounding, if a
            parameter or layer is coarser than float32), or belongs to no covered layer.
    """
    errors = jax.jit(partial(_errors, loss, select))(params, example)
    _require_covered(errors, partial(_rounding, loss, params, example))


def checked_gradients(
    loss: LinenLoss, select: Select, params: Params, examples: Examples, *, unit: bool = True
) -> Factors:
    """Compute factored gradients of a batch; the first of a structure follow a check of coverage.

    The check is of made-up numbers, since those given may be traced. ``unit`` scales residuals to
    size one, which cosines do not notice.
    """

    def of_example(example: Example) -> Factors:
        if loss.check:
            _check_once(loss, params, example, select)
        return factored.factored_gradient(loss, params, example, select=select, unit_residual=unit)

    return jax.vmap(of_example)(examples)


_CHECKED: set[Hashable] = set()
"""Losses that were checked, with what was selected and their arguments' structure."""

_MOST_CHECKED = 256


def _check_once(loss: LinenLoss, params: Params, example: Example, select: Select) -> None:
    shapes = {path: jnp.shape(leaf) for path, leaf in by_path(params).items()}
    # Any length of the example will do.
    ranks = [(jnp.ndim(leaf), jnp.result_type(leaf)) for leaf in jax.tree.leaves(example)]
    dtypes = [jnp.result_type(leaf) for leaf in jax.tree.leaves(params)]
    key = (
        loss,
        str((selected(select, shapes), shapes, ranks, dtypes)),
        jax.tree.structure(example),
    )
    try:
        if key in _CHECKED:
            return
    except TypeError:  # a module with a list for a field; it is checked whenever it is traced
        key = None
    reason = _check_made_up(loss, params, example, select)
    if reason is not None:
        warnings.warn(
            f"cannot check that taps see the whole gradient ({reason}); call check_coverage with "
            "an example of yours, then give LinenLoss check=False",
            stacklevel=3,
        )
    if key is not None:
        if len(_CHECKED) >= _MOST_CHECKED:
            _CHECKED.clear()
        _CHECKED.add(key)


def _check_made_up(loss: LinenLoss, params: Params, example: Example, select: Select) -> str | None:
    """Check coverage on made-up numbers; return why that tells nothing, if it does not."""
    try:
        weights = _made_up(params, 1, is_weights=True)
        # Compiled ahead and called as such, it runs whatever is being traced.
        errors = jax.jit(partial(_errors, loss, select)).lower(weights, _made_up(example, 1))
        errors = errors.compile()
        for integer in (1, 0):  # ids, labels and masks that are sound almost anywhere
            made_up = _made_up(example, integer)
            result = jax.device_get(errors(weights, made_up))
            totals = np.array([total for _, _, total in result.values()], np.float64)
            if np.isfinite(totals).all() and totals.all():
                return _require_covered(result, partial(_rounding, loss, weights, made_up))
    except ValueError:
        raise
    except Exception as error:  # of a loss that cannot be called by itself, say for a tracer
        return first_line(error)
    return "its gradient at made-up numbers is zero or not finite"


def _made_up(tree: PyTree, integer: int, *, is_weights: bool = False) -> PyTree:
    """Return a tree of the same structure, shapes and dtypes: random numbers, and one integer."""
    rng = np.random.default_rng(0)

    def leaf(like: jax.typing.ArrayLike) -> jax.typing.ArrayLike:
        shape, dtype = jnp.shape(like), jnp.result_type(like)
        if jnp.issubdtype(dtype, jax.dtypes.prng_key):
            with jax.ensure_compile_time_eval():
                return jax.random.split(jax.random.key(0), shape) if shape else jax.random.key(0)
        if not jnp.issubdtype(dtype, jnp.floating):
            return np.full(shape, integer, dtype)
        if is_weights and len(shape) > 1:
            fan_in = np.sqrt(math.prod(shape[:-1]))
            return (rng.standard_normal(shape, np.float32) / fan_in).astype(dtype)
        return rng.uniform(0.5, 1.5, shape).astype(dtype)

    return jax.tree.map(leaf, tree)


Errors: TypeAlias = dict[Path, tuple[jax.typing.ArrayLike, ...]]
"""For each tensor the norms of its error, of its own gradient, and of the whole gradient."""


def _errors(loss: LinenLoss, select: Select, params: Params, example: Example) -> Errors:
    factors = factored.factored_gradient(loss, params, example, select=select, unit_residual=False)
    by_taps = factored.gradient_of(factors, selected_shapes(select, params))
    leaves = by_path(jax.grad(loss)(params, example))
    total = jnp.sqrt(sum(_squares(leaves).values()))
    by_autodiff = {p: cut(leaves[p], index) for p, index in selected(select, leaves).items()}
    return {
        path: (jnp.linalg.norm(by_taps[path] - leaf), jnp.linalg.norm(leaf), total)
        for path, leaf in by_autodiff.items()
    }


def _rounding(loss: LinenLoss, params: Params, example: Example) -> float:
    """Return the unit of rounding of the coarsest dtype among parameters and layers' calls."""
    calls = jax.eval_shape(partial(tapped_calls, loss), params, example)
    dtypes = {jnp.result_type(leaf) for leaf in jax.tree.leaves((params, calls))}
    return max(float(jnp.finfo(kind).eps) for kind in dtypes if jnp.issubdtype(kind, jnp.floating))


def _require_covered(errors: Errors, rounding: Callable[[], float]) -> None:
    for path, norms in jax.device_get(errors).items():
        error, own, total = map(float, norms)
        scale = own + total / 100
        if not error <= 1e-3 * scale and not error <= 16 * rounding() * scale:
            raise ValueError(
                f"parameter {'/'.join(path)!r} is used outside of its layer's call, where taps do "
                f"not see it (its gradient is off by {error / total:.1g} of the whole); leave it "
                "out with select=, or use route 'hvp'"
            )


def _squares(tree: PyTree) -> Tensors:
    return {path: jnp.sum(leaf * leaf) for path, leaf in by_path(tree).items()}
