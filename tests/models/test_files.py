"""Weights: whole or in parts, and never from pickles."""

import json

import pytest
from safetensors.numpy import load_file, save_file

from itune import UserError
from itune.models import from_hugging_face, load_encoder, save_classifier
from tests.helpers.tiny_bert import KEY, TINY, assert_same, tiny_tensors


@pytest.fixture(scope="module")
def params():
    return from_hugging_face(tiny_tensors(), TINY, KEY)


@pytest.fixture
def saved(tmp_path, params):
    save_classifier(tmp_path / "model", TINY, params, None)
    return tmp_path / "model"


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
