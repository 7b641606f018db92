"""Three solvers of one linear system, and what each says when it cannot."""

import re
from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest

from itune.attribution import conjugate_gradients, exact, influence_functions, lissa
from itune.attribution.hessian import make_hessian
from tests.helpers.attribution_cases import (
    CG,
    CHUNK,
    DAMPING,
    PROBLEMS,
    assert_close,
    influence_parts,
    linen_loss,
    net,
    ridge,
)

MATRIX = np.diag([0.5, 1.0, 2.0]) + 0.1
VECTORS = np.random.default_rng(1).normal(size=(2, 3))
SOLUTIONS = VECTORS @ np.linalg.inv(MATRIX + 0.2 * np.eye(3))


def bowl_loss(w, z):
    """Every example has the same Hessian, MATRIX."""
    return 0.5 * (w - z) @ (jnp.asarray(MATRIX, w.dtype) @ (w - z))


@cache
def make_bowl():
    return make_hessian(bowl_loss, damping=0.2, regulariser=None, select=None, chunk=4)


def bowl(dtype=np.float64):
    train = np.random.default_rng(0).normal(size=(10, 3)).astype(dtype)
    return make_bowl()(jnp.zeros(3, dtype), train)


LISSA = {"scale": 4.0, "depth": 200}
SOLVERS = {"exact": exact(), "cg": CG, "lissa": lissa(**LISSA, batch=3)}


@pytest.mark.parametrize("name", SOLVERS)
def test_one_hessian_for_all_examples(name):
    """Sampling makes no difference then, and all three are right to rounding."""
    assert_close(SOLVERS[name](bowl())(jnp.asarray(VECTORS)), SOLUTIONS, 1e-11)


@pytest.mark.parametrize("solver", [exact(), conjugate_gradients(), lissa(**LISSA, batch=3)])
def test_vanishing_vectors_in_float32(solver):
    """Their squares underflow."""
    vectors = jnp.asarray(np.concatenate([VECTORS * 1e-30, np.zeros((1, 3))]), jnp.float32)
    solutions = solver(bowl(np.float32))(vectors)
    assert solutions.dtype == jnp.float32
    assert_close(np.asarray(solutions[:2], np.float64) * 1e30, SOLUTIONS, 1e-3)
    assert np.all(solutions[2] == 0)


# --- conjugate gradients ------------------------------------------------------------------------


@cache
def hessian(name):
    """Make the damped Hessian of a problem."""
    problem = PROBLEMS[name]()
    make = make_hessian(
        problem.loss,
        damping=DAMPING[name],
        regulariser=problem.regulariser,
        select=None,
        chunk=CHUNK,
    )
    return make(problem.params, problem.train)


def random_rows(name):
    return jnp.asarray(np.random.default_rng(2).normal(size=(3, hessian(name).size)))


@pytest.mark.parametrize("name", ["logistic", "net"])
def test_conjugate_gradients_equal_the_exact_inverse(name):
    vectors = random_rows(name)
    assert_close(CG(hessian(name))(vectors), exact()(hessian(name))(vectors), 1e-8)


def test_the_residual_is_within_the_tolerance():
    vectors = random_rows("net")
    solutions = np.asarray(conjugate_gradients(tolerance=1e-2)(hessian("net"))(vectors))
    errors = solutions @ influence_parts("net", 1.5)[1] - vectors
    residuals = np.linalg.norm(errors, axis=1) / np.linalg.norm(vectors, axis=1)
    assert np.all((residuals > 1e-8) & (residuals <= 1e-2))


def test_conjugate_gradients_that_do_not_converge():
    message = r"conjugate gradients left a relative residual of .*max_steps \(now 1\)"
    with pytest.raises(ValueError, match=message):
        conjugate_gradients(max_steps=1)(hessian("net"))(random_rows("net"))


# --- LiSSA --------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 5])
def test_depth_is_the_terms_of_the_series(depth):
    contraction = np.eye(3) - (MATRIX + 0.2 * np.eye(3)) / 4
    series = sum(np.linalg.matrix_power(contraction, t) for t in range(depth + 1)) / 4
    actual = lissa(scale=4.0, depth=depth)(bowl())(jnp.asarray(VECTORS))
    assert_close(actual, VECTORS @ series, 1e-12)


@cache
def sampled(repeats=5, seed=0):
    solver = lissa(scale=100.0, depth=2000, batch=8, repeats=repeats, seed=seed)
    return np.asarray(solver(hessian("ridge"))(jnp.eye(4)))


def test_sampled_hessians():
    inverse = np.linalg.inv(influence_parts("ridge", 0.0)[1])
    assert_close(sampled(), inverse, 0.05)
    # Twenty times the samples leave about a quarter of the error.
    few, many = (np.linalg.norm(sampled(repeats=n) - inverse) for n in (1, 20))
    assert many < few / 2


def test_the_seed_decides():
    again = sampled.__wrapped__(repeats=1)
    assert sampled(repeats=1).tolist() == again.tolist() != sampled(repeats=1, seed=1).tolist()


def test_divergence():
    message = r"LiSSA left a relative residual of .* raise scale \(now 0.5\) above"
    with pytest.raises(ValueError, match=message):
        lissa(scale=0.5, depth=200)(bowl())(jnp.asarray(VECTORS))
    with pytest.raises(ValueError, match="LiSSA left a relative residual of (nan|inf)"):
        lissa(scale=0.5, depth=2000)(bowl())(jnp.asarray(VECTORS))


def test_too_few_terms():
    """A tolerance below 1 also catches a series that was cut off."""
    with pytest.raises(ValueError, match=r"above the tolerance 0\.1; .* raise depth"):
        lissa(scale=4.0, depth=5, tolerance=0.1)(bowl())(jnp.asarray(VECTORS))


# --- refusals -----------------------------------------------------------------------------------


def test_the_damping_that_an_indefinite_hessian_needs():
    """The message says so, and a little more than it is enough."""

    def fit(damping):
        influence_functions(linen_loss, damping=damping).fit(net().params, net().train)

    smallest = np.linalg.eigvalsh(influence_parts("net", 0.0)[1])[0]
    with pytest.raises(ValueError, match="not positive definite, its smallest") as error:
        fit(0.01)
    needed = float(re.search(r"from 0.01 above (.*)$", str(error.value)).group(1))
    assert needed == pytest.approx(-smallest, rel=0.01)
    fit(1.02 * needed)


def test_a_singular_hessian():
    flat = influence_functions(lambda w, z: w[0] ** 2 * z["y"] ** 2, damping=0.0)
    with pytest.raises(ValueError, match="smallest eigenvalue is 0; raise damping from 0 above 0"):
        flat.fit(ridge().params, ridge().train)


@pytest.mark.parametrize(
    ("make", "settings", "name"),
    [
        (conjugate_gradients, {"tolerance": 0.0}, "tolerance"),
        (conjugate_gradients, {"max_steps": 0}, "max_steps"),
        (lissa, LISSA | {"scale": 0.0}, "scale"),
        (lissa, LISSA | {"depth": 0}, "depth"),
        (lissa, LISSA | {"repeats": -1}, "repeats"),
        (lissa, LISSA | {"batch": 0}, "batch"),
        (lissa, LISSA | {"tolerance": np.nan}, "tolerance"),
    ],
)
def test_settings_that_are_not_positive(make, settings, name):
    with pytest.raises(ValueError, match=f"{name} must be positive, got {settings[name]}"):
        make(**settings)
