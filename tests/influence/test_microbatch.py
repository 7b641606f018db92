"""The largest microbatch is the largest of the halved sizes that fits."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from itune.influence import PAIR_FREE, LinenLoss, Pool, largest_microbatch, value_and_grad
from tests.helpers.influence_cases import classify, draw_tuples, get_case, random_params

DRAW = get_case("mlp").draw
MODULE = nn.Dense(3)  # which compiles sooner than more layers
LOSS, PARAMS = LinenLoss(MODULE, classify, check=False), random_params(MODULE, jnp.zeros(5))
TUPLES = jax.eval_shape(lambda: draw_tuples(DRAW, np.random.default_rng(50), probes=4))


def pool_of(*shape):
    examples = partial(DRAW, np.random.default_rng(50), *shape)
    return jax.eval_shape(lambda: Pool(examples(), jnp.ones(shape, bool)))


def needed(microbatch, route="ghost", batch=TUPLES):
    fun = jax.jit(value_and_grad(LOSS, route=route, microbatch=microbatch))
    memory = fun.lower(PARAMS, batch).compile().memory_analysis()
    return memory.temp_size_in_bytes + memory.output_size_in_bytes


def test_sizes():
    bytes_of = {size: needed(size) for size in (1, 2, 4)}
    assert bytes_of[1] < bytes_of[2] < bytes_of[4]
    for size, most in bytes_of.items():
        assert largest_microbatch(LOSS, PARAMS, TUPLES, most_bytes=most) == size


def test_sizes_of_pools():
    pool = pool_of(2, 8)
    largest = partial(largest_microbatch, LOSS, PARAMS)
    assert largest(pool, most_bytes=10**9) == 16  # pairs: a tuple for each example
    assert largest(pool, most_bytes=10**9, route=PAIR_FREE) == 16
    most = needed(4, PAIR_FREE, pool)
    assert largest(pool, most_bytes=most, route=PAIR_FREE) == 4
    with pytest.raises(ValueError, match="which one example needs, got 1; "):
        largest(pool_of(1, 2), most_bytes=1, route=PAIR_FREE)


def test_nothing_fits():
    with pytest.raises(
        ValueError, match="^most_bytes must be at least [0-9]+, which one tuple needs, got 1; allow"
    ):
        largest_microbatch(LOSS, PARAMS, TUPLES, most_bytes=1)
