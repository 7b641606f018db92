"""The largest microbatch is the largest of the halved sizes that fits."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.influence import PAIR_FREE, Pool, largest_microbatch, value_and_grad
from tests.helpers.influence_cases import draw_tuples, get_case

CASE = get_case("mlp")
TUPLES = jax.eval_shape(lambda: draw_tuples(CASE.draw, np.random.default_rng(50), probes=4))


def needed(microbatch, route="ghost", batch=TUPLES):
    fun = jax.jit(value_and_grad(CASE.loss, route=route, microbatch=microbatch))
    memory = fun.lower(CASE.params, batch).compile().memory_analysis()
    return memory.temp_size_in_bytes + memory.output_size_in_bytes


def test_sizes():
    bytes_of = {size: needed(size) for size in (1, 2, 4)}
    assert bytes_of[1] < bytes_of[2] < bytes_of[4]
    for size, most in bytes_of.items():
        assert largest_microbatch(CASE.loss, CASE.params, TUPLES, most_bytes=most) == size


def test_sizes_of_pools():
    draw = partial(CASE.draw, np.random.default_rng(50), 2, 16)
    pool = jax.eval_shape(lambda: Pool(draw(), jnp.ones((2, 16), bool)))
    largest = partial(largest_microbatch, CASE.loss, CASE.params, pool)
    assert largest(most_bytes=10**9) == 32  # pairs: a tuple for each example
    assert largest(most_bytes=10**9, route=PAIR_FREE) == 32
    most = needed(8, PAIR_FREE, pool)
    assert most < needed(16, PAIR_FREE, pool)
    assert largest(most_bytes=most, route=PAIR_FREE) == 8
    with pytest.raises(ValueError, match="which one example needs, got 1; "):
        largest(most_bytes=1, route=PAIR_FREE)


def test_nothing_fits():
    with pytest.raises(
        ValueError, match="^most_bytes must be at least [0-9]+, which one tuple needs, got 1; allow"
    ):
        largest_microbatch(CASE.loss, CASE.params, TUPLES, most_bytes=1)
