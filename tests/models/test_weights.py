import dataclasses
import json
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from itune import UserError
from itune.models import (
    STACKED,
    BertClassifier,
    BertConfig,
    from_hugging_face,
    load_config,
    load_encoder,
    save_classifier,
    to_hugging_face,
    weights,
)

TINY = BertConfig(
    vocab_size=11,
    hidden_size=4,
    num_layers=2,
    num_heads=2,
    intermediate_size=6,
    max_positions=5,
    num_labels=3,
    hidden_dropout=0.25,
    hidden_act="gelu_new",
)
KEY = jax.random.key(0)


@pytest.fixture(scope="module")
def tensors():
    """Every tensor of BertForSequenceClassification, spelled out, none like another."""
    h, f = 4, 6
    shapes = {
        "bert.embeddings.word_embeddings.weight": (11, h),
        "bert.embeddings.position_embeddings.weight": (5, h),
        "bert.embeddings.token_type_embeddings.weight": (2, h),
        "bert.embeddings.LayerNorm.weight": (h,),
        "bert.embeddings.LayerNorm.bias": (h,),
        "bert.pooler.dense.weight": (h, h),
        "bert.pooler.dense.bias": (h,),
        "classifier.weight": (3, h),
        "classifier.bias": (3,),
    }
    for i in range(2):
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            shapes[f"bert.encoder.layer.{i}.attention.{name}.weight"] = (h, h)
            shapes[f"bert.encoder.layer.{i}.attention.{name}.bias"] = (h,)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"bert.encoder.layer.{i}.{name}.weight"] = (h,)
            shapes[f"bert.encoder.layer.{i}.{name}.bias"] = (h,)
        shapes[f"bert.encoder.layer.{i}.intermediate.dense.weight"] = (f, h)
        shapes[f"bert.encoder.layer.{i}.intermediate.dense.bias"] = (f,)
        shapes[f"bert.encoder.layer.{i}.output.dense.weight"] = (h, f)
        shapes[f"bert.encoder.layer.{i}.output.dense.bias"] = (h,)
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.fixture(scope="module")
def params(tensors):
    return from_hugging_face(tensors, TINY, KEY)


@pytest.fixture
def saved(tmp_path, params):
    save_classifier(tmp_path / "model", TINY, params, None)
    return tmp_path / "model"


def assert_same(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


def edit_config(folder, **changes):
    path = folder / "config.json"
    data = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in data.items() if v is not ...}))


def test_tree_is_the_models_own(params):
    ids = jnp.zeros((3,), jnp.int32)
    expected = jax.eval_shape(BertClassifier(TINY).init, KEY, ids, ids)["params"]
    assert jax.tree.structure(params) == jax.tree.structure(expected)
    jax.tree.map(
        lambda v, e: np.testing.assert_equal((v.shape, v.dtype), (e.shape, e.dtype)),
        params,
        expected,
    )


def test_linear_weights_are_transposed_and_layers_stacked(params, tensors):
    for i in range(2):
        np.testing.assert_array_equal(
            params[STACKED]["output"]["kernel"][i],
            tensors[f"bert.encoder.layer.{i}.output.dense.weight"].T,
        )
        np.testing.assert_array_equal(
            params[STACKED]["attention_norm"]["scale"][i],
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
        slot.name: np.zeros(slot.shape)
        for slot in weights._slots(config)
        if slot.name.startswith("embeddings")
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
    with pytest.raises(UserError, match=r"of shape \(2, 4, 4\), but config says shape \(3, 4, 4\)"):
        to_hugging_face(params, dataclasses.replace(TINY, num_layers=3))


def test_save_and_load(saved, params):
    config, loaded = load_encoder(saved, 3, jax.random.key(5))
    assert config == TINY == load_config(saved)
    assert_same(loaded, params)


def test_saved_config_is_read_alike_by_transformers(saved):
    from transformers import AutoConfig

    theirs = AutoConfig.from_pretrained(saved)
    assert theirs.architectures == ["BertForSequenceClassification"]
    assert theirs.num_labels == 3 and theirs.id2label[2] == "LABEL_2"
    assert theirs.num_hidden_layers == 2 and theirs.hidden_act == "gelu_new"
    theirs.save_pretrained(saved)
    assert load_config(saved) == TINY


def test_saved_float64_becomes_float32(tmp_path, params):
    double = jax.tree.map(lambda v: v.astype(jnp.float64), params)
    save_classifier(tmp_path / "model", TINY, double, None)
    assert_same(load_encoder(tmp_path / "model", 3, KEY)[1], params)


def test_labels_and_tokenizer_are_saved(tmp_path, params):
    source = tmp_path / "source"
    source.mkdir()
    (source / "vocab.txt").write_text("[PAD]\n")
    (source / "secret.txt").write_text("not a tokenizer's")
    names = ["no", "maybe", "yes"]
    save_classifier(tmp_path / "a" / "b", TINY, params, source, labels=names)
    files = {path.name for path in (tmp_path / "a" / "b").iterdir()}
    assert files == {"config.json", "model.safetensors", "vocab.txt"}
    data = json.loads((tmp_path / "a" / "b" / "config.json").read_text())
    assert list(data["id2label"].values()) == names and data["label2id"]["yes"] == 2
    assert sorted(os.listdir(tmp_path)) == ["a", "source"]
    assert os.listdir(tmp_path / "a") == ["b"]


def test_overwrite(saved, params):
    (saved / "old.txt").touch()
    new = params | {"classifier": jax.tree.map(jnp.negative, params["classifier"])}
    with pytest.raises(UserError, match="is not empty; choose another folder or pass overwrite"):
        save_classifier(saved, TINY, new, None)
    assert (saved / "old.txt").exists()
    save_classifier(saved, TINY, new, None, overwrite=True)
    assert not (saved / "old.txt").exists()
    assert_same(load_encoder(saved, 3, KEY)[1], new)
    assert os.listdir(saved.parent) == ["model"]


def test_overwriting_with_its_own_tokenizer(saved, params):
    (saved / "vocab.txt").write_text("[PAD]\n")
    save_classifier(saved, TINY, params, saved, overwrite=True)
    assert (saved / "vocab.txt").read_text() == "[PAD]\n"


@pytest.mark.parametrize("when", ["writing", "renaming"])
def test_failed_save_leaves_the_old_model(saved, params, monkeypatch, when):
    def fail(*args, **kwargs):
        raise OSError("disk full")

    rename = os.rename
    if when == "writing":
        monkeypatch.setattr("safetensors.numpy.save_file", fail)
    else:
        monkeypatch.setattr(os, "rename", lambda a, b: (fail if a.name == "new" else rename)(a, b))
    with pytest.raises(OSError, match="disk full"):
        save_classifier(saved, TINY, params, None, overwrite=True)
    assert_same(load_encoder(saved, 3, KEY)[1], params)
    assert os.listdir(saved.parent) == ["model"]


def test_empty_folder_may_be_saved_to(tmp_path, params):
    save_classifier(tmp_path, TINY, params, None)
    assert load_config(tmp_path) == TINY


def test_bad_targets(tmp_path, params):
    (tmp_path / "note.txt").touch()
    with pytest.raises(UserError, match="holds no config.json, so it is no saved model"):
        save_classifier(tmp_path, TINY, params, None, overwrite=True)
    with pytest.raises(UserError, match="note.txt is a file; give a folder"):
        save_classifier(tmp_path / "note.txt", TINY, params, None)
    with pytest.raises(UserError, match="holds neither tokenizer.json nor vocab.txt"):
        save_classifier(tmp_path / "new", TINY, params, tmp_path)
    with pytest.raises(UserError, match="labels has 1 names, but the model has 3"):
        save_classifier(tmp_path / "new", TINY, params, None, labels=["one"])
    assert os.listdir(tmp_path) == ["note.txt"]


def test_config_defaults_are_those_of_transformers(tmp_path):
    from transformers import BertConfig as TheirConfig

    theirs = TheirConfig()
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    ours = load_config(tmp_path)
    for field, (name, _) in weights._CONFIG.items():
        assert getattr(ours, field) == getattr(theirs, name), name
    assert ours.num_labels == theirs.num_labels == 2


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"model_type": "roberta"}, "is for model_type 'roberta'; only \"bert\" is supported"),
        ({"model_type": ...}, "does not tell its model_type"),
        ({"hidden_act": "mish"}, "config.json: hidden_act 'mish' is not supported"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type 'relative_key'"),
        ({"is_decoder": True}, "describes a decoder"),
        ({"hidden_size": "4"}, "hidden_size is '4', not an integer"),
        ({"layer_norm_eps": None}, "layer_norm_eps is None, not a number"),
        ({"hidden_act": 3}, "hidden_act is 3, not a string"),
        ({"num_attention_heads": 3}, "hidden_size 4 is not a multiple of num_heads 3"),
        ({"vocab_size": 12}, r"model: tensor 'embeddings.word_embeddings.weight' has shape"),
        ({"id2label": {}, "num_labels": "2"}, "num_labels is '2', not an integer"),
    ],
)
def test_bad_config(saved, changes, words):
    edit_config(saved, **changes)
    with pytest.raises(UserError, match=words):
        load_encoder(saved, 3, KEY)


@pytest.mark.parametrize(
    "text, words",
    [(None, "does not exist; give a folder"), ("{", "cannot read"), ("[]", "not a JSON object")],
)
def test_unreadable_config(tmp_path, text, words):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    with pytest.raises(UserError, match=words) as caught:
        load_config(tmp_path)
    assert "\n" not in str(caught.value)


def test_other_number_of_labels(saved):
    with pytest.raises(UserError, match=r"classifier of shape \(3, 4\), not of 2 labels"):
        load_encoder(saved, 2, KEY)


@pytest.mark.parametrize("size", [0, 5, 300, -4])
def test_truncated_weights(saved, size):
    path = saved / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(UserError, match="may be truncated: get it again") as caught:
        load_encoder(saved, 3, KEY)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pickled", [True, False])
def test_no_safetensors(saved, pickled):
    (saved / "model.safetensors").unlink()
    if pickled:
        (saved / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(UserError, match="holds no model.safetensors") as caught:
        load_encoder(saved, 3, KEY)
    assert ("only pytorch_model.bin" in str(caught.value)) == pickled
    assert "save_pretrained" in str(caught.value)


def shard(folder):
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    index = {name: f"part-{i % 2}.safetensors" for i, name in enumerate(tensors)}
    for file in set(index.values()):
        part = {name: value for name, value in tensors.items() if index[name] == file}
        save_file(part, folder / file)
    return {"weight_map": index}


def test_shards(saved, params):
    (saved / "model.safetensors.index.json").write_text(json.dumps(shard(saved)))
    assert_same(load_encoder(saved, 3, KEY)[1], params)
    (saved / "part-1.safetensors").unlink()
    with pytest.raises(UserError, match="lacks part-1.safetensors, which"):
        load_encoder(saved, 3, KEY)


@pytest.mark.parametrize("index", [{}, {"weight_map": {"a": "../a.safetensors"}}])
def test_bad_index(saved, index):
    shard(saved)
    (saved / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match="has no valid weight_map"):
        load_encoder(saved, 3, KEY)


def test_import_is_light():
    heavy = ("transformers", "huggingface_hub", "torch", "datasets")
    code = f"import sys, itune.models; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
