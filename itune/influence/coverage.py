"""Coverage: which tensors are selected, how much of the gradient they hold, and a check."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from itune.influence import factors as factored
from itune.influence.cosine import unit_scale
from itune.influence.objective import LinenLoss, Params
from itune.influence.subsets import Select, by_path, cut, mask, selected, selected_shapes


class TensorCoverage(NamedTuple):
    """What one tensor has to do with influences.

    Attributes:
        path: of the tensor in the parameters.
        shape: of the whole tensor.
        share: of the gradient's squared norm over all parameters, a mean over examples, 0 to 1.
        counted: the part of ``share`` that ``select`` keeps: all of it, 0, or that of the slices.
    """

    path: tuple[str, ...]
    shape: tuple[int, ...]
    share: float
    counted: float


def coverage(
    loss: Callable[[Params, Any], jax.Array],
    params: Params,
    examples: Any,
    *,
    select: Select = None,
) -> list[TensorCoverage]:
    """Reports every tensor of the parameters, in order.

    Shares are of ordinary gradients (``jax.grad``), so they also show what ``select`` leaves out.
    Whether the routes that tap layers see all that is kept is for :func:`check_coverage` to say.
    An example whose gradient is exactly 0 counts as a share of 0 everywhere.

    Args:
        loss: ``loss(params, example) -> scalar``.
        params: parameters, a nested dict.
        examples: an example pytree with a leading axis; some tens are plenty.
        select: the subset (:data:`~itune.influence.subsets.Select`).

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
    def squares(params, examples):
        def of_example(example):
            gradient = jax.grad(loss)(params, example)
            gradient = jax.tree.map(lambda g: g * unit_scale(gradient), gradient)
            return [_squares(tree) for tree in (gradient, mask(select, gradient))]

        whole, kept = jax.vmap(of_example)(examples)
        total = sum(whole.values())
        total = jnp.where(total > 0, total, 1)
        return [{p: jnp.mean(s / total) for p, s in part.items()} for part in (whole, kept)]

    share, counted = squares(params, examples)
    return [
        TensorCoverage(path, leaf.shape, float(share[path]), float(counted[path]))
        for path, leaf in by_path(params).items()
    ]


def format_coverage(rows: Sequence[TensorCoverage], *, depth: int | None = None) -> str:
    """The report as a text table, largest share first.

    Args:
        rows: from :func:`coverage`.
        depth: adds up tensors that share their first so many names; None keeps each.
    """
    groups: dict[tuple[str, ...], list[TensorCoverage]] = {}
    for row in rows:
        groups.setdefault(row.path[:depth], []).append(row)
    shares = {
        path: (sum(r.share for r in group), sum(r.counted for r in group))
        for path, group in groups.items()
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


def check_coverage(loss: LinenLoss, params: Params, example: Any, *, select: Select = None) -> None:
    """Compares the gradient made from taps with ``jax.grad``, tensor by tensor, on one example.

    Taps see layers' calls. A parameter that is also read past its layer (``x @ table.embedding.T``
    beside ``table(ids)``) would lose that part of its gradient without a trace; this finds it. Call
    it once for a module of your own.

    Raises:
        ValueError: a tensor differs by more than 1e-3 of its norm, or belongs to no covered layer.
    """

    @jax.jit
    def errors(params, example):
        factors = factored.factored_gradient(
            loss, params, example, select=select, unit_residual=False
        )
        ours = factored.gradient_of(factors, selected_shapes(select, params))
        leaves = by_path(jax.grad(loss)(params, example))
        total = jnp.sqrt(sum(_squares(leaves).values()))
        kept = selected(select, leaves)
        return {
            path: (jnp.linalg.norm(ours[path] - theirs), jnp.linalg.norm(theirs), total)
            for path, theirs in ((p, cut(leaves[p], index)) for p, index in kept.items())
        }

    for path, (error, own, total) in jax.device_get(errors(params, example)).items():
        if not error <= 1e-3 * own + 1e-5 * total:
            raise ValueError(
                f"parameter {'/'.join(path)!r} is used outside of its layer's call, where taps do "
                f"not see it (its gradient is off by {error / total:.1g} of the whole); leave it "
                "out with select=, or take route 'hvp'"
            )


def _squares(tree: Any) -> dict[tuple[str, ...], jax.Array]:
    return {path: jnp.sum(leaf * leaf) for path, leaf in by_path(tree).items()}
