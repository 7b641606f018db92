import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.influence import cross_entropy
from tests.helpers.influence_cases import assert_close


def test_equals_log_softmax():
    rng = np.random.default_rng(15)
    logits, label = jnp.asarray(3 * rng.normal(size=(2, 4, 5))), rng.integers(0, 5, (2, 4))

    def by_log_softmax(logits):
        log_p = jax.nn.log_softmax(logits)
        return -jnp.take_along_axis(log_p, jnp.asarray(label)[..., None], axis=-1)[..., 0]

    assert_close(cross_entropy(logits, jnp.asarray(label)), by_log_softmax(logits), 1e-14)
    actual, expected = (
        jax.jit(jax.grad(lambda z, f=f: jnp.sum(jnp.sin(f(z)))))(logits)
        for f in (lambda z: cross_entropy(z, jnp.asarray(label)), by_log_softmax)
    )
    assert_close(actual, expected, 1e-13)


@pytest.mark.parametrize("label", [1, np.int32(1), jnp.asarray(1, jnp.int32), jnp.asarray(1)])
def test_labels_of_any_integer_type(label):
    assert cross_entropy(jnp.zeros(4), label) == pytest.approx(np.log(4))


def derivatives(logits, label):
    """Gradient and Hessian in the logits."""
    return jax.jit(
        lambda z: (jax.grad(cross_entropy)(z, label), jax.hessian(cross_entropy)(z, label))
    )(logits)


@pytest.mark.parametrize("gap", [20, 40, 60, 80])
def test_relative_accuracy_of_a_fitted_example(gap):
    """In float32, where ``p - 1`` would be 0; every entry of gradient and Hessian by itself."""
    logits = np.array([0.5, gap, -1.25])
    gradient, hessian = derivatives(jnp.asarray(logits, jnp.float32), 1)
    small = np.exp(logits - gap)
    others = small[0] + small[2]
    p = small / small.sum()
    expected = np.where([True, False, True], p, -others / small.sum())
    assert gradient.dtype == jnp.float32
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)
    # p_i p_j off the diagonal, p_i (1 - p_i) on it, with 1 - p_y = others / sum.
    rest = np.where([True, False, True], 1 - p, others / small.sum())
    expected = np.where(np.eye(3, dtype=bool), p * rest, -np.outer(p, p))
    np.testing.assert_allclose(hessian, expected, rtol=1e-6, atol=1e-38)


@pytest.mark.parametrize("gap", [1e4, -1e4])
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_no_overflow(gap, dtype):
    logits = jnp.asarray([0.0, gap, 0.0], dtype)
    assert cross_entropy(logits, 1) == pytest.approx(max(-gap, 0), abs=1)
    gradient, hessian = derivatives(logits, 1)
    np.testing.assert_allclose(gradient, [0, 0, 0] if gap > 0 else [0.5, -1, 0.5], atol=1e-6)
    assert np.all(np.isfinite(hessian))
