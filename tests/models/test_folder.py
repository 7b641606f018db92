import json
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest
from safetensors.numpy import load_file, save_file

from itune import UserError
from itune.models import (
    bert,
    from_hugging_face,
    has_head,
    load_config,
    load_encoder,
    save_classifier,
)
from tests.helpers.tiny_bert import KEY, TINY, assert_same, tiny_tensors


@pytest.fixture(scope="module")
def params():
    return from_hugging_face(tiny_tensors(), TINY, KEY)


@pytest.fixture
def saved(tmp_path, params):
    save_classifier(tmp_path / "model", TINY, params, None)
    return tmp_path / "model"


def edit_config(folder, **changes):
    path = folder / "config.json"
    data = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in data.items() if v is not ...}))


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


def test_the_tokenizer_knows_the_length(tmp_path, params):
    source = tmp_path / "source"
    source.mkdir()
    (source / "vocab.txt").write_text("[PAD]\n")
    path = tmp_path / "model" / "tokenizer_config.json"
    save_classifier(tmp_path / "model", TINY, params, source, max_length=5)
    assert json.loads(path.read_text()) == {"model_max_length": 5}
    (source / path.name).write_text('{"do_lower_case": true, "model_max_length": 512}')
    save_classifier(tmp_path / "model", TINY, params, source, max_length=7, overwrite=True)
    assert json.loads(path.read_text()) == {"do_lower_case": True, "model_max_length": 7}


def test_a_new_head_in_place_of_the_old(saved, params):
    assert has_head(saved)
    config, found = load_encoder(saved, 2, KEY, new_head=True)
    assert config.num_labels == 2 and found["classifier"]["kernel"].shape == (4, 2)
    assert_same(found["pooler"], params["pooler"])


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
    for field, (name, _) in bert._CONFIG_KEYS.items():
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
