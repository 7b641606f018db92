"""Every route gives the definition's value and gradient; how a batch is laid out is no matter."""

from functools import cache, partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.influence import ROUTES, LinenLoss, Tuples, value_and_grad
from tests.helpers.influence_cases import (
    CASES,
    assert_close,
    assert_same_result,
    cast,
    compiled,
    compiled_definition,
    draw_text,
    draw_tuples,
    get_case,
    influence,
)

# A route other than ghost does not see layers: two unlike models each are enough.
OTHERS = [("mlp", route) for route in ROUTES if route != "ghost"]
OTHERS += [("recurrent", "autodiff"), ("tied", "hvp"), ("tied", "hvp_pairs")]


@cache
def tuples_of(name):
    return draw_tuples(get_case(name).draw, np.random.default_rng(1))


@cache
def expected(name):
    """``((J, influences), grad J)`` by the definition; of text without the padding at its end."""
    tuples = tuples_of(name)
    if name == "bert":
        tuples = draw_tuples(partial(draw_text, width=6), np.random.default_rng(1))
        assert tuples.probe["ids"].shape[-1] < tuples_of(name).probe["ids"].shape[-1]
    return compiled_definition(name)(get_case(name).params, tuples)


@pytest.mark.parametrize(("name", "route"), [*((name, "ghost") for name in CASES), *OTHERS])
def test_equals_the_definition(name, route):
    tuples = tuples_of(name)
    actual = compiled(name, route)(get_case(name).params, tuples)
    assert_same_result(actual, expected(name), 1e-10)
    (_, info), _ = actual
    assert_close(info.delta, jnp.sum(tuples.weights * info.influences, axis=1), 1e-12)


WITH_AND_WITHOUT_B = np.array([[0.5, 0.5, -1], [0.5, 0.5, 0], [0, 0, 0]])


@cache
def with_a_target():
    """``((J, differences), grad J)`` where the first probe alone has both groups."""
    loss, tuples = get_case("mlp").loss, tuples_of("mlp")
    is_aimed = np.array([True, False, False])

    def mean_loss(params):
        def influences(probe, partners):
            return jax.vmap(lambda a: influence(loss, params, a, probe))(partners)

        delta = jnp.sum(WITH_AND_WITHOUT_B * jax.vmap(influences)(*tuples[:2]), axis=1)
        return jnp.mean(jnp.where(is_aimed, delta - 0.7, delta) ** 2), delta

    return jax.jit(jax.value_and_grad(mean_loss, has_aux=True))(get_case("mlp").params)


@pytest.mark.parametrize("route", ROUTES)
def test_a_target_equals_the_definition(route):
    """It is that of probes with both groups, not of one without B, or of padding."""
    case, tuples = get_case("mlp"), tuples_of("mlp")._replace(weights=WITH_AND_WITHOUT_B)
    fun = jax.jit(value_and_grad(case.loss, route=route, target=0.7, microbatch=2))
    (value, info), gradient = fun(case.params, tuples)
    (value_, delta), gradient_ = with_a_target()
    assert_close((value, info.delta, gradient), (value_, delta, gradient_), 1e-10)


# Measured on a CPU: at most 6e-7 of the gradient's largest element.
@pytest.mark.parametrize(
    ("name", "route"), [("bert", "ghost"), *(("mlp", route) for route in ROUTES[1:])]
)
def test_float32(name, route):
    single = cast((get_case(name).params, tuples_of(name)), jnp.float32)
    (value, info), gradient = compiled(name, route)(*single)
    assert {leaf.dtype for leaf in jax.tree.leaves((value, info, gradient))} == {jnp.dtype("f4")}
    assert_same_result(((value, info), gradient), expected(name), 5e-6)


@pytest.mark.parametrize(
    ("route", "microbatch"), [("ghost", 1), ("ghost", 2), ("hvp", 2), ("ghost", 4)]
)
def test_microbatch_changes_nothing(route, microbatch):
    """Three tuples: 2 does not divide them."""
    params, tuples = get_case("mlp").params, tuples_of("mlp")
    actual = compiled("mlp", route, microbatch)(params, tuples)
    assert_same_result(actual, expected("mlp"), 1e-10)


@pytest.mark.parametrize("route", ROUTES)
def test_order_changes_nothing(route):
    params, tuples = get_case("mlp").params, tuples_of("mlp")
    probes, partners = np.array([2, 0, 1]), np.array([1, 2, 0])
    moved = jax.tree.map(lambda x: x[probes], tuples)
    moved = Tuples(
        moved.probe,
        jax.tree.map(lambda x: x[:, partners], moved.partners),
        moved.weights[:, partners],
    )
    (value, info), gradient = compiled("mlp", route)(params, moved)
    back = jax.tree.map(lambda x: x[np.argsort(probes)], info)
    influences = back.influences[:, np.argsort(partners)]
    assert_same_result(((value, influences), gradient), expected("mlp"), 1e-10)


def test_what_stands_in_padding_changes_nothing():
    tuples = tuples_of("bert")

    def fill(examples):
        return examples | {"ids": jnp.where(examples["mask"] == 1, examples["ids"], 7)}

    filled = tuples._replace(probe=fill(tuples.probe), partners=fill(tuples.partners))
    assert not np.array_equal(filled.partners["ids"], tuples.partners["ids"])
    actual = compiled("bert", "ghost")(get_case("bert").params, filled)
    assert_same_result(actual, expected("bert"), 1e-10)


def test_traces_once_for_one_shape():
    """And the loss as often for six tuples as for three: no loop is written out."""
    case, calls = get_case("mlp"), []

    def loss_fn(apply, example):
        calls.append(example)
        return case.loss.loss_fn(apply, example)

    loss = LinenLoss(case.loss.module, loss_fn, check=False)  # which traces it as well
    fun = jax.jit(chex.assert_max_traces(value_and_grad(loss, microbatch=1), n=2))

    def loss_traces(probes, seed):
        calls.clear()
        fun(case.params, draw_tuples(case.draw, np.random.default_rng(seed), probes=probes))
        return len(calls)

    once = loss_traces(3, seed=0)
    assert [loss_traces(3, seed=1), loss_traces(6, seed=2)] == [0, once]
    with pytest.raises(AssertionError, match="traced"):  # the third shape is one too many
        loss_traces(4, seed=3)
