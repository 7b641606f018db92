"""The coverage report, and the check that finds a parameter used past its layer."""

import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from itune.attribution import gradient_cosine, gradient_product, tracin
from itune.influence import (
    LinenLoss,
    Pool,
    Tuples,
    check_coverage,
    cosines,
    cross_entropy,
    products,
    value_and_grad,
)
from itune.influence.coverage import TensorCoverage, coverage, format_coverage
from itune.influence.differences import projections, unit_gradient_sum
from itune.influence.subsets import by_path
from tests.helpers.influence_cases import (
    CASES,
    cast,
    draw_tokens,
    get_case,
    random_params,
)


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


MODULE = sys.modules["itune.influence.coverage"]  # its package has a function of that name


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


def read_twice(**options):
    return LinenLoss(ReadTwice(), lambda apply, z: cross_entropy(apply(z["x"]), z["y"]), **options)


def pool_of(batch):
    return Pool(jax.tree.map(lambda x: x[None], batch), jnp.ones((1, 3), bool))


def tuples_of(batch):
    return Tuples(batch, jax.tree.map(lambda x: jnp.stack([x, x], 1), batch), jnp.ones((3, 2)))


TAPPING = {
    "cosines": lambda loss, p, z: cosines(loss)(p, z, z),
    "products": lambda loss, p, z: products(loss)(p, z, z),
    "gradient_cosine": lambda loss, p, z: gradient_cosine(loss).fit(p, z).score(z),
    "gradient_product": lambda loss, p, z: gradient_product(loss).fit(p, z).score(z),
    "tracin": lambda loss, p, z: tracin(loss, [1.0]).fit([p], z).score(z),
    "ghost": lambda loss, p, z: value_and_grad(loss)(p, tuples_of(z)),
    "compiled": lambda loss, p, z: jax.jit(value_and_grad(loss))(p, tuples_of(z)),
    "pair_free": lambda loss, p, z: value_and_grad(loss, route="pair_free")(p, pool_of(z)),
    "sums": lambda loss, p, z: unit_gradient_sum(loss)(p, z, jnp.ones(3)),
    "projections": lambda loss, p, z: projections(loss)(p, z, (by_path(p),)),
}
ON_THE_HOST = ("gradient_cosine", "gradient_product", "tracin")  # which cannot be traced


@pytest.fixture
def batch():
    return {"x": jnp.array([[1, 2, 3], [1, 5, 5], [0, 2, 4]]), "y": jnp.array([1, 6, 2])}


@pytest.mark.parametrize("name", TAPPING)
def test_whatever_taps_a_loss_checks_it(name, batch, monkeypatch):
    """Once, without being asked, also where all numbers are traced."""
    params, run = random_params(ReadTwice(), batch["x"][0]), TAPPING[name]
    message = "'Embed_0/embedding' is used outside of its layer's call, where taps do not see it"
    with pytest.raises(ValueError, match=message):
        run(read_twice(), params, batch)
    monkeypatch.setattr(MODULE, "_errors", None)
    unchecked = partial(run, read_twice(check=False))
    if name in ON_THE_HOST:
        unchecked(params, batch)
    else:
        jax.eval_shape(unchecked, params, batch)


@pytest.mark.parametrize("route", ["hvp", "autodiff"])
def test_what_forms_gradients_takes_any_module(route, batch):
    params = random_params(ReadTwice(), batch["x"][0])
    (value, _), _ = jax.jit(value_and_grad(read_twice(), route=route))(params, tuples_of(batch))
    assert value > 0


def test_a_structure_is_checked_once(batch, monkeypatch):
    checks = []
    made_up = MODULE._check_made_up
    monkeypatch.setattr(
        MODULE, "_check_made_up", lambda *args: checks.append(args) or made_up(*args)
    )
    case = get_case("tied")
    examples = case.draw(np.random.default_rng(45), 4)
    shorter = examples | {"x": examples["x"][:, :-1]}
    loss = LinenLoss(case.loss.module, lambda apply, z: case.loss.loss_fn(apply, z))
    for select in (None, "*", "*"):
        for z in (examples, shorter):
            jax.eval_shape(cosines(loss, select=select), case.params, z, z)
    assert len(checks) == 1  # all of them are selected either way
    rows = "/".join(next(iter(by_path(case.params)))) + "[:2]"
    jax.eval_shape(cosines(loss, select=rows), case.params, examples, examples)
    assert len(checks) == 2


def test_what_made_up_numbers_cannot_tell_is_said(batch):
    params = random_params(ReadTwice(), batch["x"][0])
    zero = LinenLoss(
        ReadTwice(), lambda apply, z: jnp.sum(apply(z["x"])) * jnp.where(z["y"] > 5, 1.0, 0.0)
    )
    with pytest.warns(UserWarning, match="cannot check .* zero or not finite.* check=False"):
        jax.eval_shape(cosines(zero), params, batch, batch)

    @jax.jit
    def scaled(scale):
        loss = LinenLoss(ReadTwice(), lambda apply, z: scale * jnp.sum(apply(z["x"])))
        return cosines(loss)(params, batch, batch)

    with pytest.warns(UserWarning, match="cannot check .*; call check_coverage with an example"):
        scaled(2.0)


class Half(nn.Module):
    """A text classifier in half precision; ``is_sound`` unless its table is also read by hand."""

    dtype: jnp.dtype
    param_dtype: jnp.dtype
    is_sound: bool = True

    @nn.compact
    def __call__(self, ids):
        kinds = {"dtype": self.dtype, "param_dtype": self.param_dtype}
        table = nn.Embed(9, 16, **kinds)
        x = jnp.tanh(table(ids))
        x = jnp.tanh(nn.Dense(16, **kinds)(jnp.tanh(nn.Dense(16, **kinds)(x)))).mean(axis=0)
        if self.is_sound:
            return nn.Dense(9, **kinds)(x).astype(jnp.float32)
        return (x @ table.embedding.T.astype(self.dtype)).astype(jnp.float32)


@pytest.mark.parametrize("param_dtype", [jnp.bfloat16, jnp.float32])
@pytest.mark.parametrize("is_sound", [True, False])
def test_half_precision_is_compared_by_its_own_rounding(param_dtype, is_sound):
    module = Half(jnp.bfloat16, param_dtype, is_sound)
    z = {"x": jnp.arange(8), "y": jnp.array(1)}
    params = cast(random_params(module, z["x"]), param_dtype)
    loss = LinenLoss(module, lambda apply, z: cross_entropy(apply(z["x"]), z["y"]))
    check = partial(jax.jit(cosines(loss)), params, *2 * [jax.tree.map(lambda x: x[None], z)])
    with jax.numpy_dtype_promotion("standard"):
        if is_sound:
            assert float(check()[0, 0]) == pytest.approx(1, abs=0.05)
        else:
            with pytest.raises(ValueError, match="'Embed_0/embedding' is used outside"):
                check()


@pytest.mark.parametrize("name", CASES)
def test_covered_models_pass(name):
    """A warning would be an error."""
    case = get_case(name)
    examples = case.draw(np.random.default_rng(43), 2)
    jax.eval_shape(cosines(case.loss._replace(check=True)), case.params, examples, examples)


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
