"""Factored gradients are the gradients, and their products are the dense products."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from itune.influence import LinenLoss
from itune.influence import factors as factored
from itune.influence.factors import Formed, Lookup, Outer
from itune.influence.subsets import by_path, selected_shapes
from tests.helpers.influence_cases import (
    CASES,
    assert_close,
    draw_features,
    get_case,
    random_params,
)
from tests.helpers.layer_models import POSITIONS, SEQUENCE, WIDTH

PATH = ("p",)


def dot(a, b):
    return sum(jnp.vdot(a[path], b[path]) for path in a)


@cache
def case_and_factors(name, count=3):
    """The case, its factors for a batch of examples, and their dense gradients by ``jax.grad``."""
    case = get_case(name)
    examples = case.draw(np.random.default_rng(2), count)

    @jax.jit
    def both(params, examples):
        def factors(example):
            return factored.factored_gradient(case.loss, params, example, unit_residual=False)

        dense = jax.vmap(jax.grad(case.loss), (None, 0))(params, examples)
        return jax.vmap(factors)(examples), by_path(dense)

    return case, *both(case.params, examples)


@pytest.mark.parametrize("name", CASES)
def test_gradient_products_and_sums(name):
    case, factors, dense = case_and_factors(name)
    shapes = selected_shapes(None, case.params)
    weights = jnp.asarray([0.5, -2.0, 1.5])
    rng = np.random.default_rng(3)
    direction = {path: jnp.asarray(rng.normal(size=shape)) for path, shape in shapes.items()}

    @jax.jit
    def ours(factors):
        first, second = (jax.tree.map(lambda x, i=i: x[i], factors) for i in range(2))
        return (
            jax.vmap(lambda f: factored.gradient_of(f, shapes))(factors),
            (factored.inner(first, second), jax.vmap(factored.square)(factors)),
            jax.vmap(lambda f: factored.project(f, direction))(factors),
            factored.weighted_sum(factors, weights, shapes),
        )

    @jax.jit
    def theirs(dense):
        first, second = (jax.tree.map(lambda x, i=i: x[i], dense) for i in range(2))
        return (
            dense,
            (dot(first, second), jax.vmap(dot)(dense, dense)),
            jax.vmap(lambda g: dot(g, direction))(dense),
            jax.tree.map(lambda g: jnp.tensordot(weights, g, 1), dense),
        )

    for a, b in zip(ours(factors), theirs(dense), strict=True):
        assert_close(a, b, 1e-12)


@pytest.mark.parametrize("name", CASES)
def test_kinds_of_term(name):
    """What the case is there for is what runs: both branches of ``_kernel``, and tables."""
    case, factors, _ = case_and_factors(name)
    weights = [terms for path, terms in factors.items() if path[-1] in ("kernel", "embedding")]
    kinds = {type(term).__name__ for terms in weights for term in terms}
    assert kinds == case.terms


def test_stacked_and_repeated_layers_stay_factored():
    _, scan, _ = case_and_factors("scan")
    (kernel,) = scan["ScanBlock_0", "Dense_0", "kernel"]
    assert kernel.inputs.shape == (3, 2, POSITIONS, WIDTH)  # examples, layers, positions, width
    _, twice, _ = case_and_factors("twice in remat")
    (kernel,) = twice["Dense_0", "kernel"]
    assert kernel.inputs.shape == (3, 1, POSITIONS + 1, WIDTH)  # both calls' positions
    _, tied, _ = case_and_factors("tied")
    read, used = sorted(tied["Embed_0", "embedding"], key=lambda term: type(term).__name__)
    assert isinstance(read, Lookup) and read.ids.shape == (3, 1, 6)
    assert isinstance(used, Outer) and used.inputs.shape == (3, 1, 1, 7)


def test_unit_residual_changes_the_scale_only():
    case, dense_scale, _ = case_and_factors("mlp", 1)
    single = jax.tree.map(lambda x: x[0], case.draw(np.random.default_rng(2), 1))
    unit = jax.jit(lambda p, z: factored.factored_gradient(case.loss, p, z))(case.params, single)
    loud = jax.tree.map(lambda x: x[0], dense_scale)
    # The last bias's gradient is the derivative in the logits: the scale itself.
    (residual,), (scaled,) = (f["Dense_2", "bias"] for f in (loud, unit))
    assert np.max(np.abs(scaled.value)) == pytest.approx(1, abs=1e-15)
    ratio = 1 / np.max(np.abs(residual.value))
    assert_close(factored.inner(unit, loud), ratio * factored.square(loud), 1e-12)


def test_select_keeps_the_accepted_paths():
    case, _, _ = case_and_factors("bert")
    single = case.draw(np.random.default_rng(2))
    shapes = jax.eval_shape(
        lambda p: factored.factored_gradient(
            case.loss, p, single, select=lambda path: path[0] == "classifier"
        ),
        case.params,
    )
    assert set(shapes) == {("classifier", "kernel"), ("classifier", "bias")}


# --- inner products of unlike terms, by themselves ----------------------------------------------

ROWS, COLUMNS, STACK = 5, 4, 2


def draw_term(kind, rng):
    count = int(rng.integers(2, 5))
    cotangents = jnp.asarray(rng.normal(size=(STACK, count, COLUMNS)))
    if kind is Formed:
        return Formed(jnp.asarray(rng.normal(size=(STACK, ROWS, COLUMNS))))
    if kind is Lookup:  # few ids: repeated within a term and shared between two
        return Lookup(jnp.asarray(rng.integers(0, 3, (STACK, count))), cotangents)
    return Outer(jnp.asarray(rng.normal(size=(STACK, count, ROWS))), cotangents)


def dense_term(term):
    """A loop over stack and positions, in NumPy."""
    total = np.zeros((STACK, ROWS, COLUMNS))
    if isinstance(term, Formed):
        return total + term.value
    first, cotangents = map(np.asarray, term)
    for s in range(STACK):
        for t in range(cotangents.shape[1]):
            row = np.eye(ROWS)[first[s, t]] if isinstance(term, Lookup) else first[s, t]
            total[s] += np.outer(row, cotangents[s, t])
    return total


@pytest.mark.parametrize("b", [Outer, Lookup, Formed])
@pytest.mark.parametrize("a", [Outer, Lookup, Formed])
def test_inner_product_of_any_two_terms(a, b):
    rng = np.random.default_rng(4)
    x, y = draw_term(a, rng), draw_term(b, rng)
    expected = np.sum(dense_term(x) * dense_term(y))
    assert_close(factored.inner({PATH: (x,)}, {PATH: (y,)}), expected, 1e-12)


def test_a_parameter_of_several_terms():
    rng = np.random.default_rng(5)
    x, y = ([draw_term(kind, rng) for kind in (Outer, Lookup, Formed)] for _ in range(2))
    dense_x, dense_y = (sum(map(dense_term, terms)) for terms in (x, y))
    factors, shapes = {PATH: tuple(x)}, {PATH: (STACK, ROWS, COLUMNS)}
    assert_close(factored.inner(factors, {PATH: tuple(y)}), np.sum(dense_x * dense_y), 1e-12)
    assert_close(factored.gradient_of(factors, shapes)[PATH], dense_x, 1e-12)
    direction = jnp.asarray(dense_y)
    assert_close(factored.project(factors, {PATH: direction}), np.sum(dense_x * dense_y), 1e-12)


@pytest.mark.parametrize("kind", [Outer, Lookup, Formed])
def test_first_of_a_batch_with_each(kind):
    rng = np.random.default_rng(6)
    shape = (2, 3, STACK, 4)  # batches, examples, and positions
    cotangents = jnp.asarray(rng.normal(size=(*shape, COLUMNS)))
    batch = {
        Formed: lambda: Formed(cotangents),
        Lookup: lambda: Lookup(jnp.asarray(rng.integers(0, 3, shape)), cotangents),
        Outer: lambda: Outer(jnp.asarray(rng.normal(size=(*shape, ROWS))), cotangents),
    }[kind]()

    def by_pairs(factors):
        def of_row(row):
            first = jax.tree.map(lambda x: x[0], row)
            dots = jax.vmap(lambda each: factored.inner(first, each))(row)
            return dots, jax.vmap(lambda each: factored.inner(each, each))(row)

        return jax.vmap(of_row)(factors)

    def with_gradient(products, term):
        def total(term):
            dots, squares = products({PATH: (term,)})
            return jnp.sum(dots**3) + jnp.sum(jnp.sin(squares)), (dots, squares)

        return jax.value_and_grad(total, has_aux=True, allow_int=True)(term)

    by_batch, by_pair = (
        jax.jit(partial(with_gradient, products))(batch)
        for products in (factored.against_first, by_pairs)
    )
    if kind is Lookup:  # its ids have no gradient
        by_batch, by_pair = ((value, gradient[1]) for value, gradient in (by_batch, by_pair))
    assert_close(by_batch, by_pair, 1e-11)


# --- ways of calling a layer --------------------------------------------------------------------


class Doubled(nn.Dense):
    @nn.compact
    def __call__(self, inputs):
        return 2 * super().__call__(inputs)


class ByName(nn.Module):
    """Arguments by name, a scale without a bias and the reverse, features of several axes."""

    @nn.compact
    def __call__(self, x):
        kwargs = {"param_dtype": x.dtype, "force_float32_reductions": False}
        x = nn.LayerNorm(use_bias=False, **kwargs)(x=x)
        x = nn.LayerNorm(use_scale=False, **kwargs)(x=nn.Dense(features=6)(inputs=x))
        x = nn.DenseGeneral((2, 5), axis=-1)(inputs=jnp.tanh(x))
        table = nn.Embed(7, 10)
        x = x.reshape((POSITIONS, 10)) + table(inputs=jnp.asarray([3, 3, 5]))
        return table.attend(query=x.mean(axis=0))


class Inherited(nn.Module):
    @nn.compact
    def __call__(self, x):
        return Doubled(7)(jnp.tanh(x).mean(axis=0))


@pytest.mark.parametrize("module", [ByName(), Inherited()], ids=["by name", "super"])
def test_ways_of_calling_a_layer(module):
    z = draw_features(SEQUENCE, np.random.default_rng(6))
    params = random_params(module, z["x"])
    loss = LinenLoss(module, lambda apply, z: jnp.sum(jnp.sin(apply(z["x"]))))
    shapes = selected_shapes(None, params)

    @jax.jit
    def both(params):
        factors = factored.factored_gradient(loss, params, z, unit_residual=False)
        return factored.gradient_of(factors, shapes), by_path(jax.grad(loss)(params, z))

    assert_close(*both(params), 1e-12)
