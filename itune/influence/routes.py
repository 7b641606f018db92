"""Ways to the exact derivative of the influence difference of one tuple; all agree.

With ``g = grad L``, ``ĝ = g / |g|``, ``I_i = ĝ_i . ĝ_p`` and ``delta = sum_i w_i I_i``, the routes
``autodiff`` and ``ghost`` give the influences ``I_i`` in a form that reverse mode differentiates;
``hvp_pairs`` and ``hvp`` give ``grad delta`` by Hessian-vector products.
"""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

import jax
import jax.numpy as jnp

from itune.influence import factors as factored
from itune.influence.cosine import cosine, inverse_norm, unit_scale
from itune.influence.coverage import checked_gradients
from itune.influence.objective import LinenLoss
from itune.influence.subsets import Select, mask, restrict
from itune.influence.tuples import Tuples, delta_of, joined
from itune.influence.types import Example, LossFn, Params, PyTree

Tree = TypeVar("Tree", bound=PyTree)
TupleResult: TypeAlias = tuple[tuple[jax.Array, jax.Array], Params]
"""``((delta, influences), grad delta)`` of a tuple: scalar, ``(K,)``, a tree like ``params``."""


def autodiff_influences(loss: LossFn, select: Select, params: Params, tuple_: Tuples) -> jax.Array:
    """Compute influences ``(K,)`` by their definition, as cosines of ``jax.grad`` s.

    Takes the memory of 1 + K gradients and more. The first meets itself as well, which is cheaper
    than taking the others out of the stack.
    """

    def gradient(example: Example) -> list[jax.Array]:
        leaves = restrict(select, jax.grad(loss)(params, example))
        scale = unit_scale(leaves)
        return [leaf * scale for leaf in leaves]

    gradients = jax.vmap(gradient)(joined(tuple_))
    first = jax.tree.map(lambda leaf: leaf[0], gradients)
    dots = jax.vmap(tree_dot, (None, 0))(first, gradients)
    squares = jax.vmap(lambda g: tree_dot(g, g))(gradients)
    return cosine(dots, squares[0], squares)[1:]


def ghost_influences(loss: LinenLoss, select: Select, params: Params, tuples: Tuples) -> jax.Array:
    """Compute influences ``(m, K)`` from layers' inputs and output cotangents, forming no gradient.

    Takes two forward-equivalents forward and four to differentiate, against three of an ordinary
    gradient, and the memory of activations.
    """
    examples = jax.vmap(joined)(tuples)
    shape = jnp.shape(jax.tree.leaves(examples)[0])[:2]
    flat = jax.tree.map(lambda x: x.reshape((-1,) + x.shape[2:]), examples)
    gradients = factored.with_joined_vectors(checked_gradients(loss, select, params, flat))
    gradients = jax.tree.map(lambda x: x.reshape(shape + x.shape[1:]), gradients)
    dots, squares = factored.against_first(gradients)
    return cosine(dots, squares[:, :1], squares)[:, 1:]


def hvp_difference(loss: LossFn, select: Select, params: Params, tuple_: Tuples) -> TupleResult:
    """Compute ``grad delta`` by one Hessian-vector product an example, ``1 + K`` in all.

    ``grad delta = sum_i H_i w_i (ĝ_p - I_i ĝ_i) / |g_i| + H_p (sum_i w_i ĝ_i - delta ĝ_p) / |g_p|``
    """
    probe_loss, probe_unit, probe_inverse = _unit_gradient(loss, select, params, tuple_.probe)

    def partner_term(
        carry: tuple[Params, Params], partner_and_weight: tuple[Example, jax.Array]
    ) -> tuple[tuple[Params, Params], jax.Array]:
        total, mixed = carry
        partner, weight = partner_and_weight
        scaled, unit, inverse = _unit_gradient(loss, select, params, partner)
        influence = tree_dot(unit, probe_unit)
        direction = jax.tree.map(
            lambda p, i: weight * inverse * (p - influence * i), probe_unit, unit
        )
        total = tree_add(total, hvp(scaled, params, direction))
        mixed = jax.tree.map(lambda m, i: m + weight * i, mixed, unit)
        return (total, mixed), influence

    zeros = jax.tree.map(jnp.zeros_like, params)
    (total, mixed), influences = jax.lax.scan(
        partner_term, (zeros, zeros), (tuple_.partners, tuple_.weights)
    )
    delta = delta_of(influences, tuple_.weights)
    direction = jax.tree.map(lambda m, p: probe_inverse * (m - delta * p), mixed, probe_unit)
    return (delta, influences), tree_add(total, hvp(probe_loss, params, direction))


def hvp_pairs_difference(
    loss: LossFn, select: Select, params: Params, tuple_: Tuples
) -> TupleResult:
    """Compute ``grad delta`` by the paper's derivation, four Hessian-vector products a pair.

    ``grad delta = sum_i w_i (p_i + q_i - r_i - s_i)``, with the terms of :func:`pair_terms`.
    """

    def pair(
        carry: Params, partner_and_weight: tuple[Example, jax.Array]
    ) -> tuple[Params, jax.Array]:
        partner, weight = partner_and_weight
        influence, terms = pair_terms(loss, params, partner, tuple_.probe, select=select)
        gradient = jax.tree.map(lambda p, q, r, s: weight * (p + q - r - s), *terms)
        return tree_add(carry, gradient), influence

    zeros = jax.tree.map(jnp.zeros_like, params)
    total, influences = jax.lax.scan(pair, zeros, (tuple_.partners, tuple_.weights))
    return (delta_of(influences, tuple_.weights), influences), total


def pair_terms(
    loss: LossFn, params: Params, train: Example, probe: Example, *, select: Select = None
) -> tuple[jax.Array, tuple[Params, Params, Params, Params]]:
    """Compute the influence of one pair and the four terms of its gradient, ``p + q - r - s``.

    With ``c = 1 / (|g_trn| |g_prb|)`` and ``I = c g_trn . g_prb``::

        p = c H_trn g_prb        r = I H_trn g_trn / |g_trn|^2
        q = c H_prb g_trn        s = I H_prb g_prb / |g_prb|^2

    Args:
        loss: ``loss(params, example) -> scalar``, twice differentiable.
        params: Parameters, a pytree of floating-point arrays.
        train: The training example, without a batch axis.
        probe: The probe example, without a batch axis.
        select: Restricts the influence to a subset of the parameters
            (:data:`~itune.influence.Select`); its gradient is in all of them.

    Returns:
        ``(I, (p, q, r, s))``: the influence, a scalar in [-1, 1], and four trees like ``params``.
        Where a gradient is exactly 0, the influence and the terms are 0.

    Source: Han & Tsvetkov (2021), section 3.

    >>> def loss(w, z):
    ...     return 0.5 * (w @ z) ** 2
    >>> w, train, probe = jnp.ones(2), jnp.array([1.0, 0.0]), jnp.array([1.0, 1.0])
    >>> influence, (p, q, r, s) = pair_terms(loss, w, train, probe)
    >>> f"{influence:.4f}", bool(jnp.allclose(p + q - r - s, 0, atol=1e-6))  # constant in w
    ('0.7071', True)
    """
    train_loss, train_unit, train_inverse = _unit_gradient(loss, select, params, train)
    probe_loss, probe_unit, probe_inverse = _unit_gradient(loss, select, params, probe)
    influence = tree_dot(train_unit, probe_unit)

    def term(
        scaled_loss: Callable[[Params], jax.Array], factor: jax.Array, direction: Params
    ) -> Params:
        return hvp(scaled_loss, params, jax.tree.map(lambda v: factor * v, direction))

    return influence, (
        term(train_loss, train_inverse, probe_unit),
        term(probe_loss, probe_inverse, train_unit),
        term(train_loss, influence * train_inverse, train_unit),
        term(probe_loss, influence * probe_inverse, probe_unit),
    )


def _unit_gradient(
    loss: LossFn, select: Select, params: Params, example: Example
) -> tuple[Callable[[Params], jax.Array], Params, jax.Array]:
    """Return the loss scaled to a gradient of size one, that gradient's ĝ, and 1 / its norm."""
    scale = unit_scale(restrict(select, jax.grad(loss)(params, example)))

    def scaled(p: Params) -> jax.Array:
        return scale * loss(p, example)

    gradient = mask(select, jax.grad(scaled)(params))
    inverse = inverse_norm(tree_dot(gradient, gradient))
    return scaled, jax.tree.map(lambda g: g * inverse, gradient), inverse


def hvp(function: Callable[[Params], jax.Array], params: Params, direction: Params) -> Params:
    """Compute a Hessian-vector product, forward over reverse."""
    return jax.jvp(jax.grad(function), (params,), (direction,))[1]


def tree_dot(a: PyTree, b: PyTree) -> jax.Array:
    """Compute the inner product of two pytrees at full precision."""
    dots = jax.tree.map(lambda x, y: jnp.vdot(x, y, precision=jax.lax.Precision.HIGHEST), a, b)
    return jnp.asarray(sum(jax.tree.leaves(dots)))


def tree_add(a: Tree, b: Tree) -> Tree:
    """Add two pytrees leaf by leaf."""
    return jax.tree.map(jnp.add, a, b)
