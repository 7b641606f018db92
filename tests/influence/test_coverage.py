"""The coverage report, and the check that finds a parameter used past its layer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from itune.influence import LinenLoss, check_coverage, cross_entropy
from itune.influence.coverage import TensorCoverage, coverage, format_coverage
from tests.helpers.influence_cases import draw_tokens, get_case, random_params


def test_shares():
    case = get_case("bert")
    examples = case.draw(np.random.default_rng(40), 4)
    select = ["!embeddings/*", "classifier/kernel[:3]"]
    rows = {row.path: row for row in coverage(case.loss, case.params, examples, select=select)}
    gradients = jax.jit(jax.vmap(jax.grad(case.loss), (None, 0)))(case.params, examples)

    def square(leaf):
        return np.sum(np.square(leaf), axis=tuple(range(1, leaf.ndim)))

    total = sum(square(leaf) for leaf in jax.tree.leaves(gradients))
    kernel = gradients["classifier"]["kernel"]
    row = rows["classifier", "kernel"]
    assert row.shape == (8, 3)
    assert row.share == pytest.approx(np.mean(square(kernel) / total))
    assert row.counted == pytest.approx(np.mean(square(kernel[:, :3]) / total))
    assert 0 < row.counted < row.share
    word = rows["embeddings", "word", "embedding"]
    assert word.share > 0.01 and word.counted == 0
    assert sum(row.share for row in rows.values()) == pytest.approx(1)
    assert len(rows) == len(jax.tree.leaves(case.params))


def test_zero_gradient_counts_as_0():
    case = get_case("mlp")
    examples = case.draw(np.random.default_rng(41), 2)
    both = coverage(case.loss, case.params, examples | {"scale": jnp.array([1.0, 0.0])})
    assert sum(row.share for row in both) == pytest.approx(0.5)


def test_table():
    rows = [
        TensorCoverage(("a", "x"), (2,), 0.1, 0.1),
        TensorCoverage(("a", "y"), (2,), 0.2, 0.0),
        TensorCoverage(("b",), (3,), 0.7, 0.7),
    ]
    assert format_coverage(rows).splitlines() == [
        "tensor   share  counted",
        "b        70.0%    70.0%",
        "a/y      20.0%     0.0%",
        "a/x      10.0%    10.0%",
        "all     100.0%    80.0%",
    ]
    assert [line.split() for line in format_coverage(rows, depth=1).splitlines()[1:3]] == [
        ["b", "70.0%", "70.0%"],
        ["a", "30.0%", "10.0%"],
    ]


class ReadTwice(nn.Module):
    """The table is looked up by its layer, and multiplied by hand."""

    @nn.compact
    def __call__(self, ids):
        table = nn.Embed(7, 4)
        return jnp.tanh(table(ids)).mean(axis=0) @ table.embedding.T


def test_a_parameter_that_is_read_directly():
    params = random_params(ReadTwice(), jnp.zeros(5, jnp.int32))
    loss = LinenLoss(ReadTwice(), lambda apply, z: cross_entropy(apply(z["x"]), z["y"]))
    example = draw_tokens(np.random.default_rng(42))
    with pytest.raises(ValueError, match="'Embed_0/embedding' is used outside of its layer's call"):
        check_coverage(loss, params, example)


@pytest.mark.parametrize("name", ["bert", "tied", "scan"])
def test_covered_models_pass(name):
    case = get_case(name)
    check_coverage(case.loss, case.params, case.draw(np.random.default_rng(43)))


def test_it_looks_at_the_selected_parameters():
    case = get_case("bert")
    example = case.draw(np.random.default_rng(44))
    check_coverage(case.loss, case.params, example, select=["classifier/*", "pooler/kernel[:2]"])


def test_an_uncovered_parameter_is_named():
    class Own(nn.Module):
        @nn.compact
        def __call__(self, x):
            scale = self.param("scale", nn.initializers.ones, x.shape, x.dtype)
            return nn.Dense(3)(x * scale)

    z = {"x": jnp.ones(4), "y": 1}
    params = random_params(Own(), z["x"])
    loss = LinenLoss(Own(), lambda apply, z: cross_entropy(apply(z["x"]), z["y"]))
    with pytest.raises(ValueError, match="parameter 'scale' belongs to no Dense"):
        check_coverage(loss, params, z)


class Normalised(nn.Module):
    """A kernel that is divided by its norm before its layer sees it."""

    @nn.compact
    def __call__(self, x):
        return nn.Dense(3, name="head")(nn.WeightNorm(nn.Dense(4, name="inner"))(x))


def test_a_parameter_that_is_changed_before_it_is_used():
    z = {"x": jnp.ones(4), "y": 1}
    params = random_params(Normalised(), z["x"])
    loss = LinenLoss(Normalised(), lambda apply, z: cross_entropy(apply(z["x"]), z["y"]))
    message = "parameter 'inner/kernel' is in a layer .* nn.WeightNorm, leave it out with select="
    with pytest.raises(ValueError, match=message):
        check_coverage(loss, params, z)
    with pytest.raises(ValueError, match="parameter 'inner/bias' is in a layer"):
        check_coverage(loss, params, z, select=["head/*", "inner/bias"])
    with pytest.raises(ValueError, match="parameter 'WeightNorm_0/inner/kernel/scale' belongs to"):
        check_coverage(loss, params, z, select=["!inner/*"])
    check_coverage(loss, params, z, select="head/*")
