"""Folders that are not what is read: each is refused in one line that says what to do."""

import json

import pytest

from itune import UserError
from itune.models import (
    from_hugging_face,
    load_classifier,
    load_encoder,
    load_tokenizer,
    save_classifier,
)
from tests.helpers.tiny_bert import KEY, TINY, assert_same, tiny_tensors

WEIGHTS = {
    "pytorch_model.bin": r"\(only pytorch_model.bin\); pickled .*torch is installed$",
    "pytorch_model-00001-of-00002.bin": "pickled weights are not read: convert them by",
    "tf_model.h5": "weights of TensorFlow are not read: .*from_tf=True",
    "flax_model.msgpack": "weights of transformers in Flax are not read: .*from_flax=True",
    "model-q4.gguf": "models in GGUF are not read: take the model that it was made from",
    "onnx/model.onnx": "models in ONNX are not read: take the model that it was made from",
}

FOLDERS = {
    "checkpoint-500/config.json": "checkpoints of a Trainer; give one .*checkpoint-500$",
    "0_Transformer/config.json modules.json": "sentence-transformers.*give .*0_Transformer$",
    "metrics.jsonl": "holds a run that has saved no model yet",
    "finetuning-1/config.json finetuning-1/result.json": "several runs; give one.*finetuning-1$",
    "tokenizer.json": "holds a tokenizer without a model; add config.json and model.safetensors",
    "vocab.txt": "holds a tokenizer without a model",
    "adapter_config.json": "holds a PEFT adapter .*merge_and_unload",
    "pytorch_model.bin": "pickled weights",
    "model.safetensors pytorch_model.bin": "holds model.safetensors without config.json; add that",
    "model.safetensors.index.json vocab.txt": "holds model.safetensors.index.json without config",
    "note.txt": "give a? ?",
}


@pytest.fixture
def folder(tmp_path):
    params = from_hugging_face(tiny_tensors(), TINY, KEY)
    save_classifier(tmp_path / "model", TINY, params, None)
    return tmp_path / "model"


def write(folder, name, text="{}"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def refused(folder, message):
    for read in (load_classifier, lambda of: load_encoder(of, 3, KEY)):
        with pytest.raises(UserError, match=message) as caught:
            read(folder)
        assert "\n" not in str(caught.value) and str(folder) in str(caught.value)


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_of_another_form(folder, name):
    (folder / "model.safetensors").unlink()
    write(folder, name)
    refused(folder, WEIGHTS[name])


@pytest.mark.parametrize("names", FOLDERS)
def test_no_model(tmp_path, names):
    for name in names.split():
        write(tmp_path, name)
    refused(tmp_path, FOLDERS[names])


def test_an_adapter_beside_its_model(folder):
    """The model without its adapter is another one, which would be audited in silence."""
    write(folder, "adapter_config.json")
    refused(folder, r"holds a PEFT adapter \(adapter_config.json\).*merge_and_unload")


def test_a_run_that_has_saved_no_model(tmp_path):
    write(tmp_path, "config.json", json.dumps({"method": "finetuning", "seed": 1, "config": {}}))
    refused(tmp_path, "is of a run, not of a model")
    write(tmp_path, "metrics.jsonl")
    refused(tmp_path, "holds a run that has saved no model yet")


def test_the_newest_checkpoint_is_named(tmp_path):
    for step in (500, 1000, 90):
        write(tmp_path, f"checkpoint-{step}/config.json")
    refused(tmp_path, "checkpoint-1000$")


def test_a_checkpoint_of_a_trainer_is_a_model(folder):
    """What else a Trainer saves is no hindrance."""
    for name in ("optimizer.pt", "trainer_state.json", "training_args.bin", "pytorch_model.bin"):
        write(folder, name)
    params = from_hugging_face(tiny_tensors(), TINY, KEY)
    assert_same(load_classifier(folder).params, params)


def test_a_pointer_of_git_lfs(folder):
    write(folder, "model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n")
    refused(folder, "is a pointer of Git LFS, not the file; fetch it by git lfs pull")


def tokenizer_folder(folder, size, **config):
    config = {"tokenizer_class": "BertTokenizer"} | config
    write(folder, "config.json", json.dumps({"model_type": "bert", "vocab_size": size}))
    write(folder, "tokenizer_config.json", json.dumps(config))
    return folder


@pytest.mark.parametrize("limit", [10**30, 512.0, None])
def test_limits_of_a_tokenizer_that_are_no_hindrance(tmp_path, limit):
    tokenizer_folder(tmp_path, 5, model_max_length=limit)
    write(tmp_path, "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n")
    assert isinstance(load_tokenizer(tmp_path).model_max_length, int)


@pytest.mark.parametrize("limit", ["512", 0, -1, True, float("inf")])
def test_limits_of_a_tokenizer_that_are_none(tmp_path, limit):
    tokenizer_folder(tmp_path, 5, model_max_length=limit)
    write(tmp_path, "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n")
    with pytest.raises(UserError, match=f"has model_max_length {limit!r}; set it in tokenizer_c"):
        load_tokenizer(tmp_path)


def test_a_tokenizer_that_lacks_what_any_text_may_need(tmp_path):
    from tokenizers import Tokenizer, models

    tokenizer_folder(tmp_path, 2, tokenizer_class="PreTrainedTokenizerFast")
    path = str(tmp_path / "tokenizer.json")
    Tokenizer(models.WordPiece({"a": 0, "b": 1}, unk_token="[UNK]")).save(path)
    with pytest.raises(UserError, match="cannot read unknown characters .* add its unknown token"):
        load_tokenizer(tmp_path)
    Tokenizer(models.BPE({"a": 0, "b": 1}, [])).save(path)
    with pytest.raises(UserError, match="gives no token for some texts; it needs markers"):
        load_tokenizer(tmp_path)
