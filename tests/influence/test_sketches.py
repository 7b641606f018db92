"""Sketches are linear in unit gradients, unbiased, and vary as predicted."""

from functools import cache

import jax
import numpy as np
import pytest

from itune.influence import cosines, draw_projections, sketches
from itune.influence.random_projections import Allotment, allotment, drawn
from itune.influence.subsets import by_path
from tests.helpers.influence_cases import assert_close, get_case

N = 3


def gradients_of(case, examples):
    """Unit gradients by path: arrays with a leading axis of examples."""
    gradients = jax.jit(jax.vmap(jax.grad(case.loss), (None, 0)))(case.params, examples)
    rows = by_path(jax.device_get(gradients))  # NumPy compiles nothing
    squares = sum(np.sum(g**2, axis=tuple(range(1, g.ndim))) for g in rows.values())
    return {p: g / np.sqrt(squares).reshape(-1, *[1] * (g.ndim - 1)) for p, g in rows.items()}


def begun(name, seed=5):
    case = get_case(name)
    return case, case.draw(np.random.default_rng(seed), N)


def sketch(case, examples, **draw):
    projections = draw_projections(case.loss, case.params, examples, **draw)
    return np.asarray(compiled(case.loss)(case.params, examples, projections)), projections


@cache
def compiled(loss):
    return jax.jit(sketches(loss))


@pytest.mark.parametrize("name", ["bert", "scan", "tied", "convolutions"])
def test_factored_gradients_are_projected_as_formed_ones(name):
    case, examples = begun(name)
    made, projections = sketch(case, examples, size=120, seed=1)
    expected = []
    for path, g in sorted(gradients_of(case, examples).items()):
        projection = projections[path]
        if projection is None:
            expected.append(g.reshape(N, -1))
            continue
        (stack, rows, k), columns = projection.rows.shape, projection.columns.shape[1]
        g = g.reshape(N, stack, rows, columns)
        parts = np.einsum("nsrc,srk,sck->nsk", g, *map(np.asarray, projection)) / k**0.5
        expected.append(parts.reshape(N, -1))
    assert made.shape[1] <= 120
    assert_close(made, np.concatenate(expected, axis=1), 1e-12)


def test_as_many_numbers_as_parameters_are_the_gradient():
    case, examples = begun("mlp")
    made, _ = sketch(case, examples, size=sum(map(np.size, jax.tree.leaves(case.params))))
    exact = jax.jit(cosines(case.loss))(case.params, examples, examples)
    assert_close(made @ made.T, exact, 1e-12)


def variance(g, h, k):
    """Predicted variance of the inner product of two tensors' sketches."""
    norms, dot = np.sum(g**2) * np.sum(h**2), np.vdot(g, h)
    if g.shape[0] == 1:
        return (norms + dot**2) / k
    across, along = g @ h.T, g.T @ h
    extra = np.sum(across**2) + np.sum(along**2) + np.trace(across @ across)
    return (norms + dot**2 + 2 * extra) / k


@pytest.mark.parametrize(("name", "size"), [("mlp", 30), ("tied", 10)])
def test_mean_and_variance_over_draws(name, size):
    case, examples = begun(name)
    draws = 3000
    exact = jax.jit(cosines(case.loss))(case.params, examples, examples)[0, 1]
    shared = allotment(case.loss, case.params, examples, size=size)
    many = jax.tree.map(lambda *rows: np.stack(rows), *(drawn(shared, n) for n in range(draws)))
    over_draws = jax.jit(jax.vmap(sketches(case.loss), (None, None, 0)))
    rows = np.asarray(over_draws(case.params, examples, many))
    values = np.sum(rows[:, 0] * rows[:, 1], axis=1)
    predicted = sum(
        variance(*(gradient[i].reshape(shared[path].shape[1:]) for i in (0, 1)), shared[path].k)
        for path, gradient in gradients_of(case, examples).items()
        if many[path] is not None
    )
    assert abs(np.mean(values) - exact) < 4 * np.sqrt(predicted / draws)
    assert np.var(values) == pytest.approx(float(predicted), rel=0.15)


def test_vectors_have_one_factor():
    """A second one would make their variance three times as large."""
    shapes = {("bias",): Allotment((2, 1, 50), 4, np.float64)}
    rows, columns = drawn(shapes, 0)[("bias",)]
    np.testing.assert_array_equal(rows, np.ones((2, 1, 4)))
    assert columns.shape == (2, 50, 4) and len(np.unique(columns)) == 400


def test_seeds_and_sizes():
    case, examples = begun("mlp")
    rows, again, other = (sketch(case, examples, size=40, seed=s)[0] for s in (1, 1, 2))
    np.testing.assert_array_equal(rows, again)
    assert not np.allclose(rows, other)
    with pytest.raises(ValueError, match="size must be at least 6, one number a tensor, got 1"):
        draw_projections(case.loss, case.params, examples, size=1)


def test_no_gradient_is_a_sketch_of_zeros():
    case, examples = begun("mlp")
    examples |= {"scale": np.array([0.0, 1.0, 1.0])}
    rows, _ = sketch(case, examples, size=40)
    assert not np.any(rows[0]) and np.all(np.isfinite(rows)) and np.any(rows[1])
