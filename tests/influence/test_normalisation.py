"""Normalisations that taps put in place of a layer's own: values, both derivatives, and limits."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from itune.influence import normalisation
from tests.helpers.influence_cases import assert_close


class Halved(nn.LayerNorm):
    """A normalisation that does more than its class says."""

    def __call__(self, x):
        return super().__call__(x) / 2


EXACT = {"use_fast_variance": False, "force_float32_reductions": False, "epsilon": 1e-2}


def both(module, x):
    """The layer's output, and that which taps put in its place."""
    rng = np.random.default_rng(1)
    params = {name: jnp.asarray(rng.normal(size=x.shape[-1:])) for name in ("scale", "bias")}

    def by_taps(x):
        bound = module.bind({"params": params})
        return normalisation.output(bound, x, normalisation.normalised(bound, x))

    return partial(module.apply, {"params": params}), by_taps


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (nn.LayerNorm, {}),
        (nn.LayerNorm, {"use_bias": False}),
        (nn.LayerNorm, {"use_scale": False}),
        (nn.RMSNorm, {}),
        (nn.RMSNorm, {"use_scale": False}),
    ],
)
def test_output_and_both_derivatives(kind, options):
    x, dx, ct = jnp.asarray(np.random.default_rng(0).normal(size=(3, 2, 5)))
    own, by_taps = both(kind(param_dtype=x.dtype, **EXACT, **options), x)

    def derivatives(fun):
        def slope(x):
            return jax.vjp(fun, x)[1](ct)[0]

        return fun(x), slope(x), jax.jvp(slope, (x,), (dx,))[1], jax.vjp(slope, x)[1](dx)[0]

    assert_close(
        jax.jit(partial(derivatives, by_taps))(), jax.jit(partial(derivatives, own))(), 1e-12
    )


@pytest.mark.parametrize(
    "module",
    [
        Halved(param_dtype="f8", **EXACT),
        nn.LayerNorm(param_dtype="f8", force_float32_reductions=False),
        nn.LayerNorm(dtype="f4", param_dtype="f4", **EXACT),
    ],
    ids=["subclass", "fast variance", "dtype"],
)
def test_what_does_more_is_left_to_the_layer(module):
    x = jnp.ones((2, 5))
    assert jax.eval_shape(lambda x: both(module, x)[1](x), x) is None
