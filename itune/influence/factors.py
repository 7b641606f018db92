"""Factored gradients: one example's gradient of every parameter, never formed where it is large.

For a layer ``out = in W + b`` the gradient of ``W`` is ``sum_t a_t^T e_t`` over calls and positions
t, with inputs ``a`` and output cotangents ``e``; it stays that pair. Inner products follow from

    <g, g'>_W   = sum_st (a_s . a'_t) (e_s . e'_t)         two Outer terms
    <g, g'>_E   = sum_st [id_s = id'_t] (e_s . e'_t)       two Lookup terms, an embedding table
    <g, g'>     = sum g g'                                 Formed: biases, scales, small kernels

Parameters stacked by ``nn.scan`` carry one leading axis ``S`` throughout. What is done term by term
is jitted, so that it is traced once for all layers whose terms have one shape.
"""

import math
from collections.abc import Hashable
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp

from itune.influence.objective import LinenLoss
from itune.influence.subsets import Index, Select, by_path, selected
from itune.influence.taps import INPUTS, OUTPUTS, Layer, tapped_calls
from itune.influence.terms import HIGHEST, PARAMETERS, Formed, Lookup, Outer, Term, form_outer
from itune.influence.types import Example, Params, Path, Shapes, Tensors

Factors: TypeAlias = dict[Path, tuple[Term, ...]]
"""A factored gradient: for each parameter's path the terms whose sum is its gradient."""


def factored_gradient(
    loss: LinenLoss,
    params: Params,
    example: Example,
    *,
    select: Select = None,
    unit_residual: bool = True,
) -> Factors:
    """Compute the gradient of one example's loss in all selected parameters, as factors.

    ``unit_residual`` scales the loss as :func:`itune.influence.taps.tapped_calls` does. A selected
    parameter that no layer's taps see is a ValueError.
    """
    shapes = {path: leaf.shape for path, leaf in by_path(params).items()}
    indices = selected(select, shapes)
    factors: dict[Path, list[Term]] = {}
    calls = tapped_calls(loss, params, example, unit_residual=unit_residual)
    for layer, layer_calls in calls.items():
        if not layer_calls:
            _require_not_selected(layer, shapes, indices)
        for name, make in PARAMETERS[layer.kind].items():
            path = (*layer.path, name)
            if path in indices:
                term = make(layer, layer_calls, shapes[path])
                factors.setdefault(path, []).append(_cut(term, indices[path], path, shapes[path]))
    missing = sorted("/".join(path) for path in indices.keys() - factors.keys())
    if missing:
        raise ValueError(
            f"parameter {missing[0]!r} belongs to no Dense, DenseGeneral, Conv, Embed, LayerNorm "
            "or RMSNorm layer that the loss calls; leave it out with select=, or use route 'hvp'"
        )
    return {path: _merged(terms) for path, terms in sorted(factors.items())}


def _require_not_selected(layer: Layer, shapes: Shapes, indices: dict[Path, Index]) -> None:
    """Check that no gradient is missed where a layer's taps were lost on the way out."""
    paths = [(*layer.path, name) for name in PARAMETERS[layer.kind]]
    if not any(path in shapes for path in paths):
        raise ValueError(
            f"layer {'/'.join(layer.path)!r} is called with parameters that are not its own; use "
            "route 'hvp'"
        )
    for path in paths:
        if path in indices:
            raise ValueError(
                f"parameter {'/'.join(path)!r} is in a layer whose taps are lost on the way out; "
                f"give an nn.scan or nn.vmap around it variable_axes of 0 for {INPUTS} and "
                f"{OUTPUTS}; if it is changed before it is used, as by nn.WeightNorm, leave it out "
                "with select=, or use route 'hvp'"
            )


def inner(a: Factors, b: Factors) -> jax.Array:
    """Compute the inner product of two factored gradients of one parameter tree, a scalar."""
    return jnp.asarray(
        sum(_inner(first, second) for path in a for first in a[path] for second in b[path])
    )


def square(a: Factors) -> jax.Array:
    """Compute the squared norm of a factored gradient, a scalar."""
    return jnp.asarray(
        sum(
            _outer_square(*first)
            if first is second and isinstance(first, Outer)
            else _inner(first, second)
            for terms in a.values()
            for first in terms
            for second in terms
        )
    )


@jax.custom_vjp
def _outer_square(x: jax.Array, e: jax.Array) -> jax.Array:
    """Compute ``<g, g>`` of one :class:`Outer` term.

    Its grams are symmetric, which autodiff does not know: it would take each twice on the way back.
    """
    return _outer_square_forward(x, e)[0]


@jax.jit
def _outer_square_forward(
    x: jax.Array, e: jax.Array
) -> tuple[jax.Array, tuple[jax.Array, jax.Array, jax.Array, jax.Array]]:
    grams = _gram(x, x), _gram(e, e)
    return jnp.vdot(*grams, precision=HIGHEST), (x, e, *grams)


@jax.jit
def _outer_square_backward(
    residuals: tuple[jax.Array, jax.Array, jax.Array, jax.Array], cotangent: jax.Array
) -> tuple[jax.Array, jax.Array]:
    x, e, gram_x, gram_e = residuals

    def pull(gram: jax.Array, y: jax.Array) -> jax.Array:
        return 2 * cotangent * jnp.einsum("stu,sud->std", gram, y, precision=HIGHEST)

    return pull(gram_e, x), pull(gram_x, e)


_outer_square.defvjp(_outer_square_forward, _outer_square_backward)


def against_first(batch: Factors) -> tuple[jax.Array, jax.Array]:
    """Compute inner products of the first of a batch with each, and squared norms, ``(m, n)`` both.

    The factors have leading axes ``(m, n)``, of m batches of n.
    """
    parts = [
        _outer_against_first(*terms[0])
        if len(terms) == 1 and isinstance(terms[0], Outer)
        else jax.vmap(_terms_against_first)(terms)
        for terms in batch.values()
    ]
    dots, squares = zip(*parts, strict=True)
    return jnp.asarray(sum(dots)), jnp.asarray(sum(squares))


def _terms_against_first(terms: tuple[Term, ...]) -> tuple[jax.Array, jax.Array]:
    first: tuple[Term, ...] = jax.tree.map(lambda leaf: leaf[0], terms)
    path = ()
    return (
        jax.vmap(lambda each: inner({path: first}, {path: each}))(terms),
        jax.vmap(lambda each: square({path: each}))(terms),
    )


@jax.custom_vjp
def _outer_against_first(x: jax.Array, e: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Compute :func:`against_first` of :class:`Outer` terms.

    On the way back each gram is used once, and what the first of a batch is owed is added in place.
    """
    return _outer_against_first_forward(x, e)[0]


Residuals: TypeAlias = tuple[tuple[jax.Array, ...], tuple[jax.Array, ...]]
_dot = partial(jax.lax.dot_general, precision=HIGHEST)


@jax.jit
def _outer_against_first_forward(
    x: jax.Array, e: jax.Array
) -> tuple[tuple[jax.Array, jax.Array], Residuals]:
    def grams(y: jax.Array) -> tuple[jax.Array, ...]:
        y = jnp.moveaxis(y, 1, 2)  # (m, S, n, T, d), which is what products leave
        own = _dot(y, y, (((4,), (4,)), ((0, 1, 2), (0, 1, 2))))  # (m, S, n, T, T)
        return y, own, _dot(y, y[:, :, 0], (((4,), (3,)), ((0, 1), (0, 1))))

    of_x, of_e = grams(x), grams(e)
    squares, dots = (jnp.sum(a * b, (1, 3, 4)) for a, b in zip(of_x[1:], of_e[1:], strict=True))
    return (dots, squares), (of_x, of_e)


@jax.jit
def _outer_against_first_backward(
    residuals: Residuals, cotangents: tuple[jax.Array, jax.Array]
) -> tuple[jax.Array, jax.Array]:
    of_dots, of_squares = (c[:, None, :, None, None] for c in cotangents)

    def pull(y: jax.Array, own: jax.Array, with_first: jax.Array) -> jax.Array:
        own, with_first = 2 * of_squares * own, of_dots * with_first
        result = _dot(own, y, (((4,), (3,)), ((0, 1, 2), (0, 1, 2))))
        result += _dot(with_first, y[:, :, 0], (((4,), (2,)), ((0, 1), (0, 1))))
        first = _dot(with_first, y, (((2, 3), (2, 3)), ((0, 1), (0, 1))))
        first = result[:, :, :1] + first[:, :, None]
        result = jax.lax.dynamic_update_slice(result, first, (0,) * result.ndim)
        return jnp.moveaxis(result, 2, 1)

    (x, *x_grams), (e, *e_grams) = residuals
    return pull(x, *e_grams), pull(e, *x_grams)


_outer_against_first.defvjp(_outer_against_first_forward, _outer_against_first_backward)


def inner_matrix(a: Factors, b: Factors) -> jax.Array:
    """Compute inner products of all pairs of two batches of factored gradients, ``(P, N)``."""
    p, n = (jax.tree.leaves(batch)[0].shape[0] for batch in (a, b))
    pairs = jax.vmap(jax.vmap(inner, (None, 0)), (0, None))
    return pairs(prepared(a, n), prepared(b, p))


def prepared(factors: Factors, partners: int) -> Factors:
    """Form the kernels' gradients of a batch where grams with so many partners cost more."""

    def convert(term: Term) -> Term:
        if not isinstance(term, Outer):
            return term
        positions, d_in, d_out = *term.inputs.shape[-2:], term.cotangents.shape[-1]
        by_forming = (positions + partners) * d_in * d_out
        if by_forming > partners * positions**2 * (d_in + d_out):
            return term
        return Formed(jax.vmap(form_outer)(term))

    return {path: _merged([convert(term) for term in terms]) for path, terms in factors.items()}


@jax.jit
def _inner(a: Term, b: Term) -> jax.Array:
    if isinstance(b, Formed):
        return jnp.vdot(form(a, b.value.shape), b.value, precision=HIGHEST)
    match a, b:
        case Outer(x, e), Outer(y, f):
            return jnp.vdot(_gram(x, y), _gram(e, f), precision=HIGHEST)
        case Lookup(i, e), Lookup(j, f):
            same = i[:, :, None] == j[:, None, :]
            return jnp.sum(jnp.where(same, _gram(e, f), 0))
        case Lookup(i, e), Outer(y, f):  # a tied table: read by rows, and used as output weights
            picked = jax.vmap(lambda rows, ids: rows[:, ids])(y, i)  # (S, T_outer, T_lookup)
            return jnp.vdot(picked, _gram(f, e), precision=HIGHEST)
        case _:  # Formed first, or Outer with Lookup
            return _inner(b, a)


def _gram(x: jax.Array, y: jax.Array) -> jax.Array:
    return jnp.einsum("std,sud->stu", x, y, precision=HIGHEST)


def form(term: Term, shape: tuple[int, ...]) -> jax.Array:
    """Form the term, ``(S, rows, columns)``."""
    if isinstance(term, Formed):
        return term.value
    if isinstance(term, Outer):
        return form_outer(term)
    zeros = jnp.zeros(shape, term.cotangents.dtype)
    return jax.vmap(lambda table, i, rows: table.at[i].add(rows))(zeros, *term)


def gradient_of(factors: Factors, shapes: Shapes) -> Tensors:
    """Form a gradient: arrays of the given shapes, by path."""
    formed = {}
    for path, terms in factors.items():
        shape = shapes[path]
        three = three_axes(terms[0], shape)
        formed[path] = jnp.asarray(sum(form(term, three) for term in terms)).reshape(shape)
    return formed


def project(factors: Factors, direction: Tensors) -> jax.Array:
    """Compute the inner product ``<g, D>`` of a factored gradient with an array for each path."""
    return jnp.asarray(
        sum(
            _project(term, direction[path].reshape(three_axes(term, direction[path].shape)))
            for path, terms in factors.items()
            for term in terms
        )
    )


@jax.jit
def _project(term: Term, direction: jax.Array) -> jax.Array:
    match term:
        case Outer(x, e):
            projected = jnp.einsum("sti,sio->sto", x, direction, precision=HIGHEST)
            return jnp.vdot(projected, e, precision=HIGHEST)
        case Lookup(ids, e):
            return jnp.vdot(jax.vmap(lambda table, i: table[i])(direction, ids), e)
        case Formed(value):
            return jnp.vdot(value, direction, precision=HIGHEST)


def weighted_sum(factors: Factors, weights: jax.Array, shapes: Shapes) -> Tensors:
    """Compute ``sum_j w_j g_j`` over a batch of factored gradients, with weights ``(n,)``."""
    merged: Factors = {
        path: tuple(_merge_examples(term, weights) for term in terms)
        for path, terms in factors.items()
    }
    return gradient_of(merged, shapes)


def with_joined_vectors(batch: Factors) -> Factors:
    """Join gradients of biases and scales into one vector, under the empty path.

    Inner products within the batch do not notice; a hundred small arrays take longer than one.
    """
    rows, others = [], {}
    for path, terms in batch.items():
        match terms:
            case (Formed(value),) if value.shape[-2] == 1:
                rows.append(value.reshape((*value.shape[:-3], 1, 1, -1)))
            case _:
                others[path] = terms
    return {(): (Formed(jnp.concatenate(rows, axis=-1)),), **others} if rows else others


def compacted(batch: Factors, shapes: Shapes, ids: Tensors | None = None) -> tuple[Factors, Shapes]:
    """Join vectors, leave rows of embedding tables only for ids of a batch; also return the shapes.

    Inner products within the batch, sums over it and projections on them do not notice. The batch
    may be part of another, whose ``ids`` were met.
    """
    ids = ids_met(batch, shapes) if ids is None else ids
    factors = with_joined_vectors(batch)
    shapes = {path: shapes.get(path, (terms[0][0].shape[-1],)) for path, terms in factors.items()}
    for path, known in ids.items():
        for term in factors[path]:  # one alone
            if isinstance(term, Lookup):
                places = jnp.searchsorted(known, term.ids).astype(term.ids.dtype)
                factors[path] = (term._replace(ids=places),)
        shapes[path] = (*shapes[path][:-2], known.size, shapes[path][-1])
    return factors, shapes


def stacks(batch: Factors, shapes: Shapes) -> list[tuple[tuple[int, ...], tuple[Term, ...]]]:
    """Stack the terms of parameters that are alike, with a new first axis, with their one shape.

    Alike are those of one shape with terms of the same kinds and shapes, such as the kernels of a
    layer that comes several times.
    """
    alike: dict[Hashable, list[Path]] = {}
    for path, terms in batch.items():
        leaves, kinds = jax.tree.flatten(terms)
        key = shapes[path], kinds, *(leaf.shape for leaf in leaves)
        alike.setdefault(key, []).append(path)
    return [
        (
            shapes[paths[0]],
            jax.tree.map(lambda *leaves: jnp.stack(leaves), *(batch[path] for path in paths)),
        )
        for paths in alike.values()
    ]


def ids_met(batch: Factors, shapes: Shapes) -> Tensors:
    """Return the ascending ids of a batch, by path of the tables that have more rows than these.

    There are as many as the batch has places, filled up with the number of rows.
    """
    met = {}
    for path, terms in batch.items():
        if len(terms) > 1 or not isinstance(terms[0], Lookup):
            continue
        ids, rows = terms[0].ids, shapes[path][-2]
        if ids.size < rows:
            met[path] = jnp.unique(ids, size=ids.size, fill_value=rows)
    return met


@jax.jit
def _merge_examples(term: Term, weights: jax.Array) -> Term:
    """Make one term of the weighted sum over examples: their positions side by side."""

    def side_by_side(x: jax.Array) -> jax.Array:
        return jnp.moveaxis(x, 0, 1).reshape((x.shape[1], x.shape[0] * x.shape[2]) + x.shape[3:])

    if isinstance(term, Formed):
        return Formed(jnp.tensordot(weights, term.value, axes=1, precision=HIGHEST))
    first, cotangents = term
    return type(term)(side_by_side(first), side_by_side(cotangents * weights[:, None, None, None]))


def three_axes(term: Term, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return a parameter's shape as ``(S, rows, columns)``."""
    leading = jax.tree.leaves(term)[0].shape[0]
    columns = term.value.shape[-1] if isinstance(term, Formed) else term.cotangents.shape[-1]
    return leading, math.prod(shape) // (leading * columns), columns


def _cut(term: Term, index: Index, path: Path, shape: tuple[int, ...]) -> Term:
    """Return the term of a slice of its parameter."""
    if not index:
        return term
    is_supported = jax.tree.leaves(term)[0].shape[0] == 1 and len(index) <= len(shape) <= 2
    if not is_supported:
        raise ValueError(
            f"parameter {'/'.join(path)!r} of shape {shape} cannot be cut by {len(index)} slices "
            "by this route; select all of it, or use route 'hvp'"
        )
    whole = slice(None)
    rows, columns = (whole, *index) if len(shape) == 1 else (*index, whole)[:2]
    match term:
        case Formed(value):
            return Formed(value[:, rows, columns])
        case Outer(x, e):
            return Outer(x[..., rows], e[..., columns])
        case Lookup(ids, e):
            start, stop, _ = rows.indices(shape[0])
            is_inside = (ids >= start) & (ids < stop)
            cotangents = jnp.where(is_inside[..., None], e[..., columns], 0)
            return Lookup(jnp.where(is_inside, ids - start, 0), cotangents)


def _merged(terms: list[Term]) -> tuple[Term, ...]:
    """Add up formed terms, so that a parameter has one of them at most."""
    formed = [term.value for term in terms if isinstance(term, Formed)]
    others = tuple(term for term in terms if not isinstance(term, Formed))
    return (*others, Formed(jnp.asarray(sum(formed)))) if formed else others
