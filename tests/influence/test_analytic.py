"""Cases with a known answer, and derivatives by formula and by differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax.flatten_util import ravel_pytree

from itune.influence import ROUTES, LinenLoss, Tuples, cross_entropy, pair_terms, value_and_grad
from tests.helpers.influence_cases import (
    assert_close,
    compiled,
    draw_tuples,
    get_case,
    random_params,
)


def mlp_tuples(seed=7):
    return draw_tuples(get_case("mlp").draw, np.random.default_rng(seed))


def run(tuples, route="ghost"):
    (value, info), gradient = compiled("mlp", route)(get_case("mlp").params, tuples)
    return np.asarray(value), jax.device_get(info), flat(gradient)


def flat(tree):
    """All numbers in one row, by NumPy."""
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])


def scaled(tuples, probe, partners):
    """The tuples with their losses times these factors."""
    return tuples._replace(
        probe=tuples.probe | {"scale": np.full_like(tuples.probe["scale"], probe)},
        partners=tuples.partners | {"scale": np.full_like(tuples.partners["scale"], partners)},
    )


@pytest.mark.parametrize("route", ROUTES)
def test_influence_of_an_example_on_itself(route):
    tuples = mlp_tuples()
    itself = jax.tree.map(lambda x: np.repeat(np.asarray(x)[:, None], 3, axis=1), tuples.probe)
    value, info, gradient = run(tuples._replace(partners=itself), route)
    assert_close(info.influences, np.ones((3, 3)), 1e-14)
    assert value > 0.1 and np.max(np.abs(gradient)) < 1e-12


def test_symmetric():
    rng = np.random.default_rng(8)
    a, b = (get_case("mlp").draw(rng, 3) for _ in range(2))
    weights = np.array([[1.0, 0.0, 0.0]] * 3)
    results = []
    for probe, partner in ((a, b), (b, a)):
        partners = jax.tree.map(lambda x: np.stack([x] * 3, axis=1), partner)
        value, info, gradient = run(Tuples(probe, partners, weights))
        results.append((value, info.influences, gradient))
    assert_close(*results, 1e-12)


@pytest.mark.parametrize("route", ROUTES)
def test_scaling_a_loss_changes_nothing_and_negating_it_negates(route):
    tuples = mlp_tuples()
    value, info, gradient = run(tuples, route)
    for probe, partners, sign in ((1e3, 1e-3, 1), (-1.0, 1.0, -1), (1.0, -2.0, -1), (-3.0, -1, 1)):
        value_, info_, gradient_ = run(scaled(tuples, probe, partners), route)
        assert_close(info_.influences, sign * info.influences, 1e-10)
        assert_close((value_, gradient_), (value, gradient), 1e-10)


@pytest.mark.parametrize("route", ROUTES)
def test_logistic_regression(route):
    """``L = log(1 + exp(-y w.x))``: ``g = -y s(-y w.x) x``, so influences are those of inputs.

    Between examples of one label ``cos(x_i, x_p)`` whatever w, and its negative between labels.
    """
    module, rng = nn.Dense(1, use_bias=False), np.random.default_rng(9)
    loss = LinenLoss(module, lambda apply, z: jax.nn.softplus(-z["y"] * apply(z["x"])[0]))

    def draw(rng, *lead):
        return {
            "x": rng.normal(size=(*lead, 4)),
            "y": rng.choice([-1.0, 1.0], lead),
        }

    tuples = draw_tuples(draw, rng)
    params = {"kernel": rng.normal(size=(4, 1))}
    (value, info), gradient = jax.jit(value_and_grad(loss, route=route))(params, tuples)

    def unit(z):
        return z["x"] / np.linalg.norm(z["x"], axis=-1, keepdims=True) * z["y"][..., None]

    expected = np.einsum("mkd,md->mk", unit(tuples.partners), unit(tuples.probe))
    assert_close(info.influences, expected, 1e-12)
    assert value > 0.01 and np.max(np.abs(gradient["kernel"])) < 1e-12


class Heads(nn.Module):
    """An encoder, and a head in two forms: one layer a class, or one kernel for all."""

    is_split: bool

    @nn.compact
    def __call__(self, x):
        h = jnp.tanh(nn.Dense(6, name="encoder")(x))
        if not self.is_split:
            return nn.Dense(3, name="head")(h), h
        return jnp.concatenate([nn.Dense(1, name=f"row_{i}")(h) for i in range(3)]), h


HEADS = {
    is_split: LinenLoss(Heads(is_split), lambda apply, z: cross_entropy(apply(z["x"])[0], z["y"]))
    for is_split in (True, False)
}


def heads(is_split, label, rng):
    loss = HEADS[is_split]

    def draw(rng, *lead):
        y = np.full(lead, label, np.int32) if label is not None else rng.integers(0, 3, lead)
        return {"x": rng.normal(size=(*lead, 5)), "y": y}

    return loss, random_params(loss.module, jnp.zeros(5)), draw_tuples(draw, rng)


@pytest.mark.parametrize("route", ROUTES)
def test_one_row_of_the_head(route):
    """Row ``W_y`` has the gradient ``(p_y - 1) h``: same-label influence is ``cos(h_i, h_p)``.

    Then J is a function of the encoder alone, differentiated here as that.
    """
    loss, params, tuples = heads(is_split=True, label=1, rng=np.random.default_rng(10))

    def of_encoder(params):
        def unit(z):
            h = loss.module.apply({"params": params}, z["x"])[1]
            return h / jnp.linalg.norm(h)

        probes, partners = jax.vmap(unit)(tuples.probe), jax.vmap(jax.vmap(unit))(tuples.partners)
        influences = jnp.einsum("mkd,md->mk", partners, probes)
        return jnp.mean(jnp.sum(tuples.weights * influences, axis=1) ** 2), influences

    fun = value_and_grad(loss, route=route, select=lambda path: path == ("row_1", "kernel"))
    (value, info), gradient = jax.jit(fun)(params, tuples)
    (value_, influences), gradient_ = jax.jit(jax.value_and_grad(of_encoder, has_aux=True))(params)
    assert_close((value, info.influences), (value_, influences), 1e-12)
    assert_close(gradient, gradient_, 1e-10)
    assert not np.any(gradient_["row_1"]["kernel"]) and np.any(gradient_["encoder"]["kernel"])


def test_the_whole_kernel_of_the_head():
    """``g_W = h ⊗ r`` with the residual r = p - onehot: influence is ``cos(h, h') cos(r, r')``."""
    loss, params, tuples = heads(is_split=False, label=None, rng=np.random.default_rng(11))

    def units(z):
        logits, h = loss.module.apply({"params": params}, z["x"])
        residual = jax.nn.softmax(logits) - jax.nn.one_hot(z["y"], 3, dtype=h.dtype)
        return h / jnp.linalg.norm(h), residual / jnp.linalg.norm(residual)

    of_probes, of_partners = jax.jit(jax.vmap(units)), jax.jit(jax.vmap(jax.vmap(units)))
    (h, r), (hs, rs) = jax.device_get((of_probes(tuples.probe), of_partners(tuples.partners)))
    expected = np.einsum("mkd,md->mk", hs, h) * np.einsum("mkc,mc->mk", rs, r)
    fun = value_and_grad(loss, select=lambda path: path == ("head", "kernel"))
    (_, info), _ = jax.jit(fun)(params, tuples)
    assert_close(info.influences, expected, 1e-12)


# --- derivatives by other means -----------------------------------------------------------------


def dense_derivatives(examples):
    """Gradients ``(n, P)`` and Hessians ``(n, P, P)`` of the mlp's losses."""
    case = get_case("mlp")
    theta, unravel = ravel_pytree(case.params)

    def of(example):
        def loss(theta):
            return case.loss(unravel(theta), example)

        return jax.grad(loss)(theta), jax.hessian(loss)(theta)

    return jax.jit(jax.vmap(of))(examples)


def test_gradient_by_dense_hessians():
    """``grad I = (H_i (ĝ_p - I ĝ_i)) / |g_i| + (H_p (ĝ_i - I ĝ_p)) / |g_p|``, in NumPy."""
    tuples = mlp_tuples()
    _, _, gradient = run(tuples)
    everything = jax.tree.map(
        lambda p, k: np.concatenate([np.asarray(p)[:, None], k], axis=1).reshape(12, *p.shape[1:]),
        tuples.probe,
        tuples.partners,
    )
    g, hessian = (np.asarray(x).reshape(3, 4, *x.shape[1:]) for x in dense_derivatives(everything))
    expected = np.zeros(g.shape[-1])
    for m in range(3):
        norms = np.linalg.norm(g[m], axis=1)
        units = g[m] / norms[:, None]
        delta, slope = 0.0, np.zeros_like(expected)
        for i, weight in enumerate(tuples.weights[m], 1):
            influence = units[i] @ units[0]
            delta += weight * influence
            slope += weight * hessian[m, i] @ (units[0] - influence * units[i]) / norms[i]
            slope += weight * hessian[m, 0] @ (units[i] - influence * units[0]) / norms[0]
        expected += 2 * delta * slope / 3
    assert_close(gradient, expected, 1e-10)


def test_pair_terms():
    """Each of p, q, r, s by its definition in section 3 of the paper."""
    case = get_case("mlp")
    pair = case.draw(np.random.default_rng(12), 2)
    train, probe = (jax.tree.map(lambda x, i=i: np.asarray(x)[i], pair) for i in range(2))
    influence, terms = jax.jit(lambda *a: pair_terms(case.loss, *a))(case.params, train, probe)
    (g, h), (hessian_g, hessian_h) = jax.device_get(dense_derivatives(pair))
    norm_g, norm_h = np.linalg.norm(g), np.linalg.norm(h)
    assert_close(influence, g @ h / (norm_g * norm_h), 1e-12)
    expected = (
        hessian_g @ h / (norm_g * norm_h),
        hessian_h @ g / (norm_g * norm_h),
        (g @ h) * hessian_g @ g / (norm_g**3 * norm_h),
        (g @ h) * hessian_h @ h / (norm_g * norm_h**3),
    )
    for term, reference in zip(terms, expected, strict=True):
        assert_close(flat(term), reference, 1e-10)


@pytest.mark.parametrize("name", ["mlp", "bert", "tied"])
def test_gradient_by_central_differences(name):
    case = get_case(name)
    tuples = draw_tuples(case.draw, np.random.default_rng(1))
    fun, rng, step = compiled(name, "ghost"), np.random.default_rng(13), 1e-5
    direction = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape), case.params)

    def moved(by):
        params = jax.tree.map(lambda leaf, along: leaf + by * along, np_params, direction)
        return fun(params, tuples)[0][0]

    np_params = jax.device_get(case.params)
    ahead, behind = moved(step), moved(-step)
    slope = flat(fun(case.params, tuples)[1]) @ flat(direction)
    assert (ahead - behind) / (2 * step) == pytest.approx(float(slope), rel=1e-6)
