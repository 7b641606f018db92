"""DeBERTa's own: distances in buckets, variants of its attention, and what is refused."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune import UserError
from itune.models import from_hugging_face, make_model, to_hugging_face
from itune.models.deberta_v2 import DebertaV2Config
from itune.models.registry import ARCHITECTURES
from tests.helpers.family_models import assert_taps_see_the_whole_gradient, model_of

VARIANTS = ["deberta-p2c", "deberta-v2-convolution", "deberta-v2-own-projections", "deberta-v2-c2p"]


def bucket(distance, half, last):
    """The least number b with (|distance| / half)^(half - 1) <= (last / half)^(b - half)."""
    length, near = abs(distance), half
    while Fraction(length, half) ** (half - 1) > Fraction(last, half) ** (near - half):
        near += 1
    return distance if length <= half else near * (1 if distance > 0 else -1)


@pytest.mark.parametrize("buckets, longest", [(4, 14), (8, 20), (16, 64), (64, 128)])
def test_buckets_are_those_of_the_logarithm(buckets, longest):
    config = DebertaV2Config(
        40, 12, 2, 3, 20, position_buckets=buckets, max_relative_positions=longest
    )
    distances = np.arange(1 - longest, longest)
    expected = [bucket(int(d), buckets // 2, longest - 1) for d in distances]
    assert config.bucket(distances).tolist() == expected
    assert expected[-1] == buckets - 1


@pytest.mark.parametrize("name", VARIANTS)
def test_taps_see_the_whole_gradient_of_every_variant(name):
    assert_taps_see_the_whole_gradient(name)


@pytest.mark.parametrize("name", VARIANTS)
def test_padding_on_the_right_does_not_matter(name):
    config, params = model_of(name)
    ids = jnp.array([1, 5, 2, 9])
    padded = jnp.pad(ids, (0, 5), constant_values=7)
    apply = jax.jit(lambda ids, mask: make_model(config).apply({"params": params}, ids, mask))
    expected = apply(ids, jnp.ones(4, bool)).logits
    logits = apply(padded, jnp.arange(9) < 4).logits
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-6)


def test_positions_that_a_checkpoint_holds_without_need_are_left_out():
    config, params = model_of("deberta-v2")
    tensors = to_hugging_face(params, config)
    more = {"deberta.embeddings.position_embeddings.weight": np.zeros((14, 12), np.float32)}
    loaded = from_hugging_face(tensors | more, config, jax.random.key(0))
    assert jax.tree.structure(loaded) == jax.tree.structure(params)


@pytest.mark.parametrize(
    "values, words",
    [
        ({"pos_att_type": "c2p|p2p"}, r"pos_att_type \['c2p', 'p2p'\] is not supported; use c2p"),
        ({"pos_att_type": [1]}, r"pos_att_type is \[1\], not a list of words"),
        ({"relative_attention": True}, "relative_attention has no effect without pos_att_type"),
        ({"relative_attention": "yes"}, "relative_attention is 'yes', not true or false"),
        ({"norm_rel_ebd": "batch_norm"}, "norm_rel_ebd 'batch_norm' is not supported; use"),
        ({"pooler_hidden_act": "mish"}, "pooler_hidden_act 'mish' is not supported"),
        ({"conv_kernel_size": 2}, "conv_kernel_size 2 is not odd"),
        ({"conv_kernel_size": 3, "conv_groups": 2}, "conv_groups 2; only 1 is supported"),
        ({"position_buckets": 1}, "position_buckets 1 is not from 2 to less than twice max_rel"),
        ({"position_buckets": 20, "max_relative_positions": 11}, "twice .* - 1, 10"),
    ],
)
def test_a_variant_that_is_not_computed_is_refused(tmp_path, values, words):
    with pytest.raises(UserError, match=words):
        ARCHITECTURES["deberta-v2"].read_config(values, tmp_path / "config.json")
