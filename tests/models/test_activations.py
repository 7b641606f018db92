"""Functions with derivatives of their own against JAX's, by plain autodiff."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.models.activations import gelu, softmax


def plain(x):
    return jax.nn.gelu(x, approximate=False)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_derivatives(order):
    """The third too: what differentiates the gradient of an influence loss."""
    ours, theirs = gelu, plain
    for _ in range(order):
        ours, theirs = jax.grad(ours), jax.grad(theirs)
    x = jnp.linspace(-6, 6, 49)
    np.testing.assert_allclose(jax.vmap(ours)(x), jax.vmap(theirs)(x), rtol=0, atol=1e-14)


def test_forward_over_reverse():
    def slope(f):
        return jax.vmap(lambda x: jax.jvp(jax.grad(f), (x,), (2.0,))[1])

    x = jnp.linspace(-3, 3, 13)
    np.testing.assert_allclose(slope(gelu)(x), slope(plain)(x), rtol=0, atol=1e-14)


def test_float32():
    x = jnp.linspace(-4, 4, 33, dtype=jnp.float32)
    assert gelu(x).dtype == jnp.float32
    np.testing.assert_allclose(gelu(x), plain(x.astype(jnp.float64)), rtol=0, atol=6e-7)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_derivatives_of_softmax(order):
    """Along four directions, in two rows, one of which has a key that nobody may attend to."""
    x = jnp.asarray([[0.3, -1.2, 2.0], [1.0, 0.5, jnp.finfo(jnp.float64).min]])
    directions = jnp.asarray(np.random.default_rng(0).normal(size=(4, *x.shape)))

    def along(f):
        for each in directions[:order]:
            f = partial(lambda f, each, x: jax.jvp(f, (x,), (each,))[1], f, each)
        return jax.vjp(f, x)

    (ours, pull), (theirs, expected) = along(softmax), along(jax.nn.softmax)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-14)
    np.testing.assert_allclose(pull(directions[3])[0], expected(directions[3])[0], atol=1e-13)
