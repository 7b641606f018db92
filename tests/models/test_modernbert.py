"""ModernBERT's own: its file in the ways of two times, its heads, and what is refused."""

import jax
import numpy as np
import pytest

from itune import UserError
from itune.models import from_hugging_face, to_hugging_face
from itune.models.registry import ARCHITECTURES
from tests.helpers.family_models import assert_taps_see_the_whole_gradient, model_of

READ = ARCHITECTURES["modernbert"].read_config


def test_older_and_newer_files_say_the_same(tmp_path):
    older = {"global_attn_every_n_layers": 2, "global_rope_theta": 80000.0, "local_rope_theta": 5}
    newer = {
        "layer_types": ["full_attention", "sliding_attention"] * 2,
        "rope_parameters": {
            "full_attention": {"rope_type": "default", "rope_theta": 80000.0},
            "sliding_attention": {"rope_theta": 5},
        },
    }
    read = [READ({"num_hidden_layers": 4, **values}, tmp_path) for values in (older, newer)]
    for config in read:
        assert [config.is_local(number) for number in range(4)] == [False, True, False, True]
        assert (config.global_theta, config.local_theta) == (80000.0, 5.0)


def test_taps_see_the_whole_gradient_with_all_biases_and_the_mean():
    assert_taps_see_the_whole_gradient("modernbert-mean")


def test_a_head_that_is_absent_is_new():
    config, params = model_of("modernbert-mean")
    tensors = to_hugging_face(params, config)
    base = {name: value for name, value in tensors.items() if name.startswith("model.")}
    new = from_hugging_face(base, config, jax.random.key(0))
    assert jax.tree.structure(new) == jax.tree.structure(params)
    np.testing.assert_array_equal(new["pooler_norm"]["scale"], 1)
    np.testing.assert_array_equal(new["pooler_norm"]["bias"], 0)
    assert 0.01 < np.std(new["pooler"]["kernel"]) < 0.03


@pytest.mark.parametrize(
    "values, words",
    [
        ({"classifier_pooling": "max"}, "classifier_pooling 'max' is not supported; use cls or"),
        ({"classifier_activation": "mish"}, "classifier_activation 'mish' is not supported"),
        ({"layer_types": ["full_attention"]}, r"layer_types \['full_attention'\] is not .* 22 lay"),
        ({"layer_types": ["chunked"] * 22}, "is not full_attention or sliding_attention for each"),
        ({"rope_scaling": {"factor": 2}}, "rope_scaling {'factor': 2}; only None is supported"),
        (
            {"rope_parameters": {"full_attention": {"rope_type": "yarn"}}},
            "rope_type 'yarn'; only 'default' is supported",
        ),
        ({"hidden_size": 36}, "head_dim 3 is odd"),
    ],
)
def test_a_variant_that_is_not_computed_is_refused(tmp_path, values, words):
    with pytest.raises(UserError, match=words):
        READ(values, tmp_path / "config.json")
