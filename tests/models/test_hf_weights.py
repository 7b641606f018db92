import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune import UserError
from itune.models import BertClassifier, from_hugging_face, to_hugging_face
from itune.models.bert import BERT
from tests.helpers.tiny_bert import KEY, TINY, assert_same, tiny_tensors


@pytest.fixture(scope="module")
def tensors():
    return tiny_tensors()


@pytest.fixture(scope="module")
def params(tensors):
    return from_hugging_face(tensors, TINY, KEY)


def test_tree_is_the_models_own(params):
    ids = jnp.zeros((3,), jnp.int32)
    expected = jax.eval_shape(BertClassifier(TINY).init, KEY, ids, ids)["params"]
    assert jax.tree.structure(params) == jax.tree.structure(expected)
    jax.tree.map(
        lambda v, e: np.testing.assert_equal((v.shape, v.dtype), (e.shape, e.dtype)),
        params,
        expected,
    )


def test_linear_weights_are_transposed_layer_by_layer(params, tensors):
    for i in range(2):
        np.testing.assert_array_equal(
            params[f"layer_{i}"]["output"]["kernel"],
            tensors[f"bert.encoder.layer.{i}.output.dense.weight"].T,
        )
        np.testing.assert_array_equal(
            params[f"layer_{i}"]["attention_norm"]["scale"],
            tensors[f"bert.encoder.layer.{i}.attention.output.LayerNorm.weight"],
        )
    np.testing.assert_array_equal(params["classifier"]["kernel"], tensors["classifier.weight"].T)


def test_round_trip(params, tensors):
    back = to_hugging_face(params, TINY)
    assert back.keys() == tensors.keys()
    assert_same(back, tensors)
    assert all(v.flags.c_contiguous and v.dtype == np.float32 for v in back.values())


def test_export_owns_its_arrays(params):
    host = jax.tree.map(np.array, params)
    back = to_hugging_face(host, TINY)
    host["classifier"]["bias"][:] = 7
    assert not (back["classifier.bias"] == 7).any()


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name.removeprefix("bert."),
        lambda name: name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"),
    ],
    ids=["no prefix", "gamma and beta"],
)
def test_other_names(params, tensors, rename):
    renamed = {rename(name): value for name, value in tensors.items()}
    assert renamed.keys() != tensors.keys()
    assert_same(from_hugging_face(renamed, TINY, KEY), params)


def test_pretraining_heads_and_buffers_are_ignored(params, tensors):
    more = {
        "cls.predictions.bias": np.zeros(11),
        "bert.embeddings.position_ids": np.arange(5)[None],
        "cls.seq_relationship.weight": np.zeros((2, 4)),
    }
    assert_same(from_hugging_face(tensors | more, TINY, KEY), params)


@pytest.mark.parametrize("part", ["pooler", "classifier"])
def test_missing_head_is_drawn(params, tensors, part):
    fewer = {name: value for name, value in tensors.items() if part not in name}
    first, again, other = (
        from_hugging_face(fewer, TINY, jax.random.key(seed)) for seed in (0, 0, 1)
    )
    new = first.pop(part)
    assert_same(new, again[part])
    assert (new["kernel"] != other[part]["kernel"]).all()
    assert (new["bias"] == 0).all() and 0 < np.abs(new["kernel"]).max() < 0.1
    assert_same(first, {name: value for name, value in params.items() if name != part})


def test_new_heads_have_standard_deviation_002():
    config = dataclasses.replace(TINY, hidden_size=256, num_layers=0)
    known = {
        spec.name: np.zeros(spec.shape)
        for spec in BERT.tensors(config)
        if spec.name.startswith("embeddings")
    }
    drawn = from_hugging_face(known, config, KEY)
    np.testing.assert_allclose(drawn["pooler"]["kernel"].std(), 0.02, rtol=0.02)
    with jax.enable_x64(False):
        assert_same(from_hugging_face(known, config, KEY), drawn)


def test_half_precision_becomes_float32(params, tensors):
    half = {name: jnp.asarray(value, jnp.bfloat16) for name, value in tensors.items()}
    out = from_hugging_face({name: np.asarray(v) for name, v in half.items()}, TINY, KEY)
    assert {v.dtype for v in jax.tree.leaves(out)} == {jnp.dtype("float32")}
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=0.01), out, params)


def without(name):
    return lambda tensors: {k: v for k, v in tensors.items() if k != name}


def plus(name, shape=()):
    return lambda tensors: tensors | {name: np.zeros(shape)}


@pytest.mark.parametrize(
    "change, words",
    [
        (without("bert.embeddings.LayerNorm.bias"), "lack tensor 'embeddings.LayerNorm.bias'; is"),
        (without("bert.pooler.dense.bias"), "lack tensor 'pooler.dense.bias'"),
        (without("classifier.weight"), "lack tensor 'classifier.weight'"),
        (lambda tensors: {}, "lack tensor 'embeddings.LayerNorm.bias' and 36 more"),
        (plus("bert.encoder.layer.2.output.dense.bias"), "unknown tensor 'encoder.layer.2.output"),
        (plus("lm_head.bias"), "hold an unknown tensor 'lm_head.bias'"),
        (plus("embeddings.LayerNorm.bias"), "tensor 'embeddings.LayerNorm.bias' appears twice"),
        (
            plus("bert.embeddings.word_embeddings.weight", (12, 4)),
            r"'embeddings.word_embeddings.weight' has shape \(12, 4\), but config says \(11, 4\)",
        ),
        (plus("classifier.weight", (3, 5)), r"'classifier.weight' has shape \(3, 5\)"),
        (plus("classifier.bias", (2,)), "not of 3 labels; set num_labels to match"),
    ],
)
def test_bad_tensors(tensors, change, words):
    with pytest.raises(UserError, match=words):
        from_hugging_face(change(tensors), TINY, KEY)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"pooler": {"kernel": np.zeros((4, 4))}}, "parameter pooler/bias is absent"),
        ({"classifier": {}}, "parameter classifier/kernel is absent"),
        (
            {"classifier": {"kernel": np.zeros((3, 4))}},
            r"classifier/kernel is of shape \(3, 4\), but config says shape \(4, 3\)",
        ),
    ],
)
def test_bad_params(params, changes, words):
    with pytest.raises(UserError, match=words):
        to_hugging_face(params | changes, TINY)


def test_bad_layer_count(params):
    words = r"layer_2/query/kernel is absent, but config says shape \(4, 4\)"
    with pytest.raises(UserError, match=words):
        to_hugging_face(params, dataclasses.replace(TINY, num_layers=3))
