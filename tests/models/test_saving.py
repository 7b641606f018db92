"""Saving: folders that Hugging Face reads, complete or not at all."""

import json
import os

import jax
import jax.numpy as jnp
import pytest

from itune import UserError
from itune.models import from_hugging_face, load_config, load_encoder, save_classifier
from tests.helpers.tiny_bert import KEY, TINY, assert_same, tiny_tensors


@pytest.fixture(scope="module")
def params():
    return from_hugging_face(tiny_tensors(), TINY, KEY)


@pytest.fixture
def saved(tmp_path, params):
    save_classifier(tmp_path / "model", TINY, params, None)
    return tmp_path / "model"


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
