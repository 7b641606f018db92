"""The largest microbatch is the largest of the halved sizes that fits."""

import jax
import numpy as np
import pytest

from itune.influence import largest_microbatch, value_and_grad
from tests.helpers.influence_cases import draw_tuples, get_case

CASE = get_case("mlp")
TUPLES = jax.eval_shape(lambda: draw_tuples(CASE.draw, np.random.default_rng(50), probes=4))


def needed(microbatch):
    fun = jax.jit(value_and_grad(CASE.loss, microbatch=microbatch))
    memory = fun.lower(CASE.params, TUPLES).compile().memory_analysis()
    return memory.temp_size_in_bytes + memory.output_size_in_bytes


def test_sizes():
    bytes_of = {size: needed(size) for size in (1, 2, 4)}
    assert bytes_of[1] < bytes_of[2] < bytes_of[4]
    for size, most in bytes_of.items():
        assert largest_microbatch(CASE.loss, CASE.params, TUPLES, most_bytes=most) == size


def test_nothing_fits():
    with pytest.raises(
        ValueError, match="^most_bytes must be at least [0-9]+, which one tuple needs, got 1; allow"
    ):
        largest_microbatch(CASE.loss, CASE.params, TUPLES, most_bytes=1)
