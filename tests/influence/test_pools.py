"""The pair-free route gives what all pairs of a pool give."""

from functools import cache, partial

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from itune.influence import PAIR_FREE, LinenLoss, Pool, Tuples, cross_entropy, value_and_grad
from itune.influence import factors as factored
from itune.influence.factors import Formed, Lookup
from tests.helpers.influence_cases import (
    Case,
    assert_close,
    cast,
    compiled,
    draw_text,
    get_case,
    pool_loss,
    put,
    random_params,
)
from tests.helpers.layer_models import norm

REAL = np.array([[1, 1, 1, 0], [1, 1, 1, 1], [1, 0, 0, 0]], bool)  # three confounds; one alone


class Words(nn.Module):
    """A table with more rows than a pool has words, two layers that are alike, and a norm."""

    @nn.compact
    def __call__(self, ids):
        x = norm(nn.LayerNorm, nn.Embed(40, 16, param_dtype=jnp.float64)(ids))
        for _ in range(2):
            x = x + jnp.tanh(nn.Dense(16, param_dtype=jnp.float64)(x))
        return nn.Dense(2, param_dtype=jnp.float64)(x.sum(axis=-2))


def draw_words(rng, *lead):
    """Draw three words, so that no piece of a pool has all of them."""
    return put({"x": rng.integers(0, 40, (*lead, 3)), "y": rng.integers(0, 2, lead)})


@cache
def case_of(name):
    if name != "words":
        return get_case(name)
    loss = LinenLoss(Words(), lambda apply, z: cross_entropy(apply(z["x"]), z["y"]), check=False)
    return Case(loss, random_params(Words(), np.zeros(3, int)), draw_words, set())


# Two labels of three confounds: the first lacks the third; the second has one alone, and padding
REAL_OF_LABELS = np.array([[[1, 1], [1, 1], [0, 0]], [[1, 1], [1, 0], [1, 1]]], bool)


def pool_of(name, real=REAL, seed=20):
    return Pool(case_of(name).draw(np.random.default_rng(seed), *real.shape), np.asarray(real))


@cache
def pair_free(name, select=None):
    return jax.jit(value_and_grad(case_of(name).loss, route=PAIR_FREE, select=select))


def definition(loss, select=None):
    """Reverse mode of the definition."""
    return jax.value_and_grad(pool_loss(loss, select), has_aux=True)


# Sums and projections are tested on every case (test_factors); here, each kind of term.
@pytest.mark.parametrize("name", ["mlp", "bert", "scan", "tied"])
def test_equals_the_definition(name):
    pool, params = pool_of(name), get_case(name).params
    if name == "bert":  # the definition sees no padding of the text
        draw = partial(draw_text, width=6)
        short = Pool(draw(np.random.default_rng(20), *REAL.shape), pool.is_real)
    else:
        short = pool
    (value, info), gradient = pair_free(name)(params, pool)
    (value_, delta), gradient_ = jax.jit(definition(get_case(name).loss))(params, short)
    assert value > 0 and info.influences is None
    assert_close((value, info.delta, gradient), (value_, delta, gradient_), 1e-10)


# Pieces of one, two and three columns of four, of which the last are filled up.
@pytest.mark.parametrize(
    ("name", "real", "microbatch"),
    [
        ("mlp", REAL, 1),
        ("words", REAL, 9),
        ("scan", REAL, 7),
        ("tied", REAL, 3),
        ("mlp", REAL_OF_LABELS, 6),
    ],
    ids=["singly", "words", "scan", "tied", "labels"],
)
def test_pieces_equal_the_whole(name, real, microbatch):
    """They share the rows of a table, too."""
    params, pool = case_of(name).params, pool_of(name, real)
    fun = jax.jit(value_and_grad(case_of(name).loss, route=PAIR_FREE, microbatch=microbatch))
    assert_close(fun(params, pool), pair_free(name)(params, pool), 1e-10)


@pytest.mark.parametrize("route", ["ghost", "hvp"])
def test_routes_by_pairs_take_pools(route):
    params, pool = get_case("mlp").params, pool_of("mlp")
    (value, info), gradient = compiled("mlp", route, microbatch=5)(params, pool)
    (value_, info_), gradient_ = pair_free("mlp")(params, pool)
    assert info.influences.shape == (3, 4, 12)
    assert_close((value, info.delta, gradient), (value_, info_.delta, gradient_), 1e-10)


def test_tuples_of_a_pool():
    pool = pool_of("mlp", np.array([[1, 1], [1, 0]], bool))
    tuples = jax.jit(Pool.tuples)(pool)
    assert isinstance(tuples, Tuples)
    np.testing.assert_array_equal(
        tuples.weights, [[0, 1, -1, 0], [1, 0, -1, 0], [-0.5, -0.5, 0, 0], [0, 0, 0, 0]]
    )
    np.testing.assert_array_equal(tuples.probe["x"], pool.examples["x"].reshape(4, 5))
    np.testing.assert_array_equal(tuples.partners["x"][2], tuples.probe["x"])


def weights_of_labels(real):
    """Weights of all influences in the difference of every example towards every label, by loops.

    Of ``(L, C, n)`` examples; and which of these have members of both groups.
    """
    labels, places = len(real), list(np.ndindex(real.shape))
    weights = np.zeros((len(places), labels, len(places)))
    has_both = np.zeros((len(places), labels), bool)
    for p, (label, row, column) in enumerate(places):
        for other in range(labels):
            members = [
                j for j, place in enumerate(places) if j != p and real[place] and place[0] == other
            ]
            same = [j for j in members if places[j][1] == row]
            different = [j for j in members if places[j][1] != row]
            has_both[p, other] = real[label, row, column] and same and different
            if real[label, row, column] and (other == label or (same and different)):
                weights[p, other, same] = 1 / max(len(same), 1)
                weights[p, other, different] = -1 / max(len(different), 1)
    return weights, has_both


def definition_of_labels(loss, real):
    """Differences of every example towards every label, from cosines of gradients."""
    weights, has_both = weights_of_labels(real)

    def mean_loss(params, examples, target):
        aim = jnp.where(has_both, target, 0)
        flat = jax.tree.map(lambda x: x.reshape((-1,) + x.shape[3:]), examples)
        g = jax.vmap(lambda z: jax.flatten_util.ravel_pytree(jax.grad(loss)(params, z))[0])(flat)
        g = g / jnp.linalg.norm(g, axis=1, keepdims=True)
        delta = jnp.einsum("plj,pj->pl", weights, g @ g.T)
        value = jnp.sum((delta - aim) ** 2) / (real.sum() * float(len(real)))
        return value, delta.reshape(*real.shape, len(real))

    return jax.value_and_grad(mean_loss, has_aux=True)


@cache
def compiled_definition_of_labels(name):
    return jax.jit(definition_of_labels(case_of(name).loss, REAL_OF_LABELS))


@cache
def by_definition_of_labels(name):
    examples = pool_of(name, REAL_OF_LABELS).examples
    return compiled_definition_of_labels(name)(case_of(name).params, examples, 0.0)


@pytest.mark.parametrize(
    ("name", "route"),
    [("mlp", PAIR_FREE), ("mlp", "ghost"), ("mlp", "hvp"), ("words", PAIR_FREE)],
)
def test_pools_of_all_labels(name, route):
    fun = pair_free(name) if route == PAIR_FREE else compiled(name, route)
    (value, info), gradient = fun(case_of(name).params, pool_of(name, REAL_OF_LABELS))
    (value_, delta), gradient_ = by_definition_of_labels(name)
    assert np.all(delta[1, 2, :, 0] == 0) and np.any(delta[1, 0, :, 0] != 0)  # label 0 has no A
    assert_close((value, info.delta, gradient), (value_, delta, gradient_), 1e-10)


@pytest.mark.parametrize("real", [REAL_OF_LABELS, REAL], ids=["labels", "one label"])
def test_a_target(real):
    """It is that of examples with both groups, by all routes; a row of one alone lacks A."""
    params, loss, pool = get_case("mlp").params, get_case("mlp").loss, pool_of("mlp", real)
    if real.ndim == 3:
        definition, examples = compiled_definition_of_labels("mlp"), pool.examples
    else:
        definition = jax.jit(definition_of_labels(loss, real[None]))
        examples = jax.tree.map(lambda x: x[None], pool.examples)
    (value_, delta), gradient_ = definition(params, examples, 0.3)
    expected = value_, delta.reshape(pool.differences_shape), gradient_
    others = ({"route": PAIR_FREE, "microbatch": 6}, {"route": "ghost"})
    for of in ({"route": PAIR_FREE}, *(others if real.ndim == 3 else ())):
        fun = jax.jit(value_and_grad(loss, target=0.3, **of))
        (value, info), gradient = fun(params, pool)
        assert_close((value, info.delta, gradient), expected, 1e-10)


def of_layer(path):
    return path[0] == "Dense_1"


def test_select():
    params, pool = get_case("mlp").params, pool_of("mlp")
    (value, info), gradient = pair_free("mlp", of_layer)(params, pool)
    (value_, delta), gradient_ = jax.jit(definition(get_case("mlp").loss, of_layer))(params, pool)
    assert_close((value, info.delta, gradient), (value_, delta, gradient_), 1e-10)
    assert np.any(gradient["Dense_0"]["kernel"] != 0)


def test_float32():
    """Measured on a CPU: 2e-7 of the largest element; a table, norms and layers that are alike."""
    whole = case_of("words").params, pool_of("words", REAL_OF_LABELS)
    (value, info), gradient = pair_free("words")(*cast(whole, jnp.float32))
    assert {leaf.dtype for leaf in jax.tree.leaves((value, info, gradient))} == {jnp.dtype("f4")}
    (value_, info_), gradient_ = pair_free("words")(*whole)
    assert_close((value, info.delta, gradient), (value_, info_.delta, gradient_), 5e-6)


@pytest.mark.parametrize("gap", [23.0, 69.0, 80.0])
def test_vanishing_gradients_in_float32(gap):
    pool = pool_of("mlp")
    fitted = pool._replace(examples=pool.examples | {"gap": jnp.full(REAL.shape, gap)})
    params = get_case("mlp").params
    (value, info), gradient = pair_free("mlp")(*cast((params, fitted), jnp.float32))
    (value_, info_), gradient_ = pair_free("mlp")(params, fitted)
    assert value_ > 1e-3
    assert_close((value, info.delta, gradient), (value_, info_.delta, gradient_), 2e-5)


def test_zero_gradient():
    """It is a member of its groups with influence 0, as in tuples."""
    pool, params = pool_of("mlp"), get_case("mlp").params
    scale = jnp.ones(REAL.shape).at[0, 1].set(0)
    pool = pool._replace(examples=pool.examples | {"scale": scale})
    (value, info), gradient = pair_free("mlp")(params, pool)
    (value_, info_), gradient_ = compiled("mlp", "ghost")(params, pool)
    assert info.delta[0, 1] == 0
    assert_close((value, info.delta, gradient), (value_, info_.delta, gradient_), 1e-10)


@pytest.mark.parametrize(
    "real",
    [[[0, 0], [0, 0]], [[1, 0], [0, 0]], [[1, 1], [0, 0]], [[1, 0], [1, 0]]],
    ids=["nobody", "one", "one row", "one each"],
)
def test_empty_groups(real):
    """An empty group contributes nothing, as in tuples; padding is no probe."""
    params, pool = get_case("mlp").params, pool_of("mlp")
    is_real = np.zeros(REAL.shape, bool)
    is_real[:2, :2] = real
    pool = pool._replace(is_real=is_real)
    (value, info), gradient = pair_free("mlp")(params, pool)
    (value_, info_), gradient_ = compiled("mlp", "ghost")(params, pool)
    assert np.all(info.delta[~pool.is_real] == 0)
    assert (value > 0) == (np.sum(real) > 1)
    size = {"value": value_, "delta": info_.delta, "gradient": gradient_}
    actual = {"value": value, "delta": info.delta, "gradient": gradient}
    floor = {"floor": jnp.ones(())}  # so that an error in zeros is measured against 1
    assert_close(actual | floor, size | floor, 1e-10)


def test_what_stands_in_padding_changes_nothing():
    params, pool = get_case("mlp").params, pool_of("mlp")
    other = pool_of("mlp", seed=21)
    mixed = jax.tree.map(
        lambda a, b: jnp.where(REAL.reshape(REAL.shape + (1,) * (a.ndim - 2)), a, b),
        pool.examples,
        other.examples,
    )
    result = pair_free("mlp")(params, pool)
    assert_close(pair_free("mlp")(params, pool._replace(examples=mixed)), result, 1e-14)


def test_order_changes_nothing():
    params, pool = get_case("mlp").params, pool_of("mlp")
    rows, columns = np.array([2, 0, 1]), np.array([3, 1, 0, 2])
    moved = jax.tree.map(lambda x: x[rows][:, columns], pool)
    (value, info), gradient = pair_free("mlp")(params, moved)
    (value_, info_), gradient_ = pair_free("mlp")(params, pool)
    delta = info.delta[np.argsort(rows)][:, np.argsort(columns)]
    assert_close((value, delta, gradient), (value_, info_.delta, gradient_), 1e-12)


def test_stacks_of_parameters_that_are_alike():
    square = Formed(jnp.ones((1, 2, 2)))
    terms = {("a",): (square,), ("b",): (square, square), ("c",): (Formed(2 * square.value),)}
    shapes = {("a",): (2, 2), ("b",): (2, 2), ("c",): (2, 2)}
    (alike, of_alike), (shape, (one, other)) = factored.stacks(terms, shapes)
    assert alike == shape == (2, 2) and one.value.shape == other.value.shape == (1, 1, 2, 2)
    assert of_alike[0].value.shape == (2, 1, 2, 2) and np.all(of_alike[0].value[1] == 2)
    of_another_shape = factored.stacks(terms, {**shapes, ("c",): (4,)})
    assert [of[0].value.shape[0] for _, of in of_another_shape] == [1, 1, 1]


def test_tables_have_rows_for_ids_that_occur():
    rng = np.random.default_rng(22)
    ids = jnp.asarray(rng.choice([3, 50, 999], (2, 1, 4)))
    term = Lookup(ids, jnp.asarray(rng.normal(size=(2, 1, 4, 5))))
    few, many = ("few",), ("many",)
    shapes = {few: (1000, 5), many: (7, 5)}
    factors = {few: (term,), many: (term._replace(ids=ids % 7),)}
    smaller, new_shapes = factored.compacted(factors, shapes)
    assert new_shapes == {few: (8, 5), many: (7, 5)}
    assert np.max(smaller[few][0].ids) <= 2 and smaller[many] is factors[many]
    a, b = ({few: (Lookup(*(x[i] for x in smaller[few][0])),)} for i in (0, 1))
    c, d = ({few: (Lookup(*(x[i] for x in term)),)} for i in (0, 1))
    assert_close(factored.inner(a, b), factored.inner(c, d), 1e-14)
    assert jnp.abs(factored.inner(c, d)) > 0.1


def test_messages():
    loss = get_case("mlp").loss
    with pytest.raises(ValueError, match="microbatch must be a positive integer or None, got 0"):
        value_and_grad(loss, route=PAIR_FREE, microbatch=0)
    with pytest.raises(ValueError, match="route 'pair_free' needs a LinenLoss"):
        value_and_grad(lambda p, z: loss(p, z), route=PAIR_FREE)
    with pytest.raises(ValueError, match="route 'pair_free' needs a Pool, got a Tuples"):
        tuples = jax.eval_shape(pool_of("mlp").tuples)
        value_and_grad(loss, route=PAIR_FREE)({}, tuples)
