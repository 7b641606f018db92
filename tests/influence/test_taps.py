"""What cannot be tapped is an error that names it; nothing is left out in silence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from itune.influence import LinenLoss, cross_entropy, value_and_grad
from tests.helpers.influence_cases import (
    assert_same_result,
    classify,
    compiled,
    definition,
    draw_features,
    draw_tuples,
    get_case,
    random_params,
)
from tests.helpers.layer_models import SEQUENCE, TAPS, WIDTH, Scanned, norm


def draw(rng, *lead):
    return draw_features(SEQUENCE, rng, *lead)


def trace(module, loss_fn=classify, **kwargs):
    """Traces ``value_and_grad``, where every message must appear."""
    params = jax.eval_shape(
        module.init, jax.random.key(0), jax.ShapeDtypeStruct(SEQUENCE, jnp.float32)
    )["params"]
    tuples = jax.tree.map(
        lambda x: x.astype("f4") if x.dtype == "f8" else x,
        draw_tuples(draw, np.random.default_rng(0)),
    )
    return jax.eval_shape(value_and_grad(LinenLoss(module, loss_fn), **kwargs), params, tuples)


class Gated(nn.Module):
    """A parameter of the module's own, that no layer covers."""

    @nn.compact
    def __call__(self, x):
        gate = self.param("gate", nn.initializers.normal(), (1, x.shape[-1]), x.dtype)
        return nn.Dense(3)(jnp.tanh(x * gate).mean(axis=0))


class One(nn.Module):
    layer: nn.Module

    def __call__(self, x, **kwargs):
        return self.layer(x, **kwargs).mean(axis=0)


class Masked(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.LayerNorm(force_float32_reductions=False)(x, mask=x > 0).mean(axis=0)


class Reapplied(nn.Module):
    """A head applied to another layer's table, out of the module's reach."""

    @nn.compact
    def __call__(self, x):
        table = nn.Embed(5, x.shape[-1])
        hidden = (x + table(jnp.asarray([1, 1, 2]))).mean(axis=0)
        return nn.Dense(5, use_bias=False).apply({"params": {"kernel": table.embedding.T}}, hidden)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Gated(), "parameter 'gate' belongs to no Dense"),
        (One(nn.ConvLocal(3, (2,))), "parameter 'layer/bias' belongs to no Dense"),
        (One(nn.Conv(4, (2,), feature_group_count=2)), "layer 'layer' uses feature_group_count"),
        (One(nn.Conv(4, (2,), padding="CAUSAL")), "layer 'layer' uses padding 'CAUSAL'"),
        (One(nn.Conv(4, (2,), mask=jnp.ones((2, WIDTH, 4), "f4"))), "layer 'layer' uses a mask"),
        (One(nn.DenseGeneral(3, batch_dims=0, axis=-1)), None),  # Flax counts () and 0 as unlike
        (One(nn.DenseGeneral(3, batch_dims=(0,))), "layer 'layer' uses batch_dims"),
        (One(nn.DenseGeneral(3, axis=0)), "layer 'layer' uses an axis that is not trailing"),
        (One(nn.LayerNorm(reduction_axes=(-2, -1))), "layer 'layer' uses reduction_axes"),
        (One(nn.LayerNorm(feature_axes=(-2, -1))), "layer 'layer' uses feature_axes"),
        (Masked(), "layer 'LayerNorm_0' uses a mask"),
        (Scanned((("params", 0),)), "parameter 'ScanBlock_0/.*lost.* tap_in and tap_out"),
        (Scanned((("params", 1), *TAPS.items())), "'ScanBlock_0/.*stacked .* variable_axes of 0"),
        (Reapplied(), "layer '' is called with parameters that are not its"),
    ],
)
def test_messages(module, message):
    if message is None:
        trace(module)
        return
    with pytest.raises(ValueError, match=message):
        trace(module)


def test_select_leaves_the_uncovered_parameter_out():
    params = random_params(Gated(), jnp.zeros(SEQUENCE))
    loss, tuples = LinenLoss(Gated(), classify), draw_tuples(draw, np.random.default_rng(0))

    def select(path):
        return path[-1] != "gate"

    actual = jax.jit(value_and_grad(loss, select=select))(params, tuples)
    expected = jax.jit(definition(loss, select))(params, tuples)
    assert_same_result(actual, expected, 1e-10)
    _, gradient = actual
    assert np.any(gradient["gate"] != 0)  # influences leave it out, their gradient does not


@pytest.mark.parametrize(("calls", "route"), [(0, "ghost"), (2, "ghost"), (2, "autodiff")])
def test_apply_is_called_once(calls, route):
    def loss_fn(apply, z):
        logits = [apply(z["x"]) for _ in range(calls)]
        return sum((cross_entropy(x, z["y"]) for x in logits), jnp.zeros((), z["x"].dtype))

    if route == "autodiff":  # where it does not matter
        trace(nn.Dense(3), lambda apply, z: loss_fn(lambda x: apply(x)[0], z), route=route)
        return
    with pytest.raises(ValueError, match=f"apply exactly once, got {calls} calls"):
        trace(nn.Dense(3), loss_fn)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"route": "ghosts"}, "route must be one of ghost, autodiff, .*, got 'ghosts'"),
        ({"microbatch": 0}, "microbatch must be a positive integer or None, got 0"),
        ({"microbatch": -2}, "microbatch must be a positive integer or None, got -2"),
    ],
)
def test_arguments_are_checked_at_once(kwargs, message):
    with pytest.raises(ValueError, match=message):
        value_and_grad(get_case("mlp").loss, **kwargs)


def test_ghost_needs_a_linen_loss_and_the_others_do_not():
    case = get_case("mlp")

    def any_loss(params, example):
        return case.loss(params, example)

    with pytest.raises(ValueError, match="route 'ghost' needs a LinenLoss"):
        value_and_grad(any_loss)
    tuples = draw_tuples(case.draw, np.random.default_rng(0))
    (value, info), gradient = jax.jit(value_and_grad(any_loss, route="hvp"))(case.params, tuples)
    (value_, info_), gradient_ = compiled("mlp", "ghost")(case.params, tuples)
    assert_same_result(((value, info), gradient), ((value_, info_.influences), gradient_), 1e-10)


def test_outputs_of_any_kind():
    """Integers, None and unused arrays beside the logits."""

    class Chatty(nn.Module):
        @nn.compact
        def __call__(self, x):
            hidden = norm(nn.LayerNorm, x)
            logits = nn.Dense(3)(hidden.mean(axis=0))
            return {"logits": logits, "hidden": hidden, "count": jnp.arange(3), "none": None}

    loss = LinenLoss(Chatty(), lambda apply, z: cross_entropy(apply(z["x"])["logits"], z["y"]))
    params = random_params(Chatty(), jnp.zeros(SEQUENCE))
    tuples = draw_tuples(draw, np.random.default_rng(0))
    actual, expected = (
        jax.jit(f)(params, tuples) for f in (value_and_grad(loss), definition(loss))
    )
    assert_same_result(actual, expected, 1e-10)
