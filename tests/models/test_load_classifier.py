"""Classifiers out of folders: what is read, and what is said of folders that hold none."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from itune import UserError
from itune.models import from_hugging_face, load_classifier, save_classifier
from tests.helpers.tiny_bert import KEY, TINY, assert_same, tiny_tensors

NAMES = ("bad", "fair", "good")


@pytest.fixture
def folder(tmp_path):
    params = from_hugging_face(tiny_tensors(), TINY, KEY)
    save_classifier(tmp_path / "model", TINY, params, None, labels=NAMES)
    return tmp_path / "model"


def change(folder, **values):
    """Changes config.json; None takes a key out."""
    path = folder / "config.json"
    config = json.loads(path.read_text()) | values
    path.write_text(json.dumps({k: v for k, v in config.items() if v is not None}))


def without(folder, *names):
    tensors = {name: value for name, value in tiny_tensors().items() if name not in names}
    save_file(tensors, folder / "model.safetensors")


def test_what_was_saved(folder):
    found = load_classifier(folder)
    assert found.config == TINY and found.labels == NAMES
    assert_same(found.params, from_hugging_face(tiny_tensors(), TINY, KEY))


def test_names_of_the_classes(folder):
    change(folder, id2label={"2": "c", "0": "a ", "1": 7})
    assert load_classifier(folder).labels == ("a", "7", "c")
    change(folder, id2label=None, num_labels=3, problem_type="single_label_classification")
    assert load_classifier(folder).labels == ("LABEL_0", "LABEL_1", "LABEL_2")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model_type": "roberta"}, "is for model_type 'roberta'; only"),
        ({"id2label": {"1": "a", "2": "b", "3": "c"}}, "is not numbered from 0 to 2"),
        ({"id2label": ["a", "b", "c"]}, "is not numbered from 0 to 2"),
        ({"id2label": {"0": "a", "1": "a", "2": "b"}}, "has a name twice"),
        ({"id2label": {"0": "a"}}, "has 1 label; only classifiers of two classes"),
        ({"problem_type": "regression"}, "has problem_type 'regression'; only"),
        ({"id2label": {"0": "a", "1": "b"}}, r"a classifier of shape \(3, 4\), not of 2 labels"),
    ],
)
def test_another_kind_of_model(folder, values, message):
    change(folder, **values)
    with pytest.raises(UserError, match=message):
        load_classifier(folder)


@pytest.mark.parametrize(
    ("name", "part"),
    [("classifier.weight", "classification head"), ("bert.pooler.dense.weight", "pooler")],
)
def test_an_encoder_alone(folder, name, part):
    """Nothing is drawn in place of what is missing."""
    without(folder, name, name.replace("weight", "bias"))
    with pytest.raises(UserError, match=f"is an encoder without a {part} .* finetune it first"):
        load_classifier(folder)


def test_no_folder(folder, tmp_path):
    with pytest.raises(UserError, match="none does not exist; give the folder of a finetuned"):
        load_classifier(tmp_path / "none")
    with pytest.raises(UserError, match="config.json is a file; give the folder"):
        load_classifier(folder / "config.json")


def test_no_safetensors(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"only pytorch_model.bin\); pickled weights are not read"):
        load_classifier(folder)
    np.save(folder / "model.safetensors.npy", 0)
    (folder / "model.safetensors.npy").rename(folder / "model.safetensors")
    with pytest.raises(UserError, match="may be truncated"):
        load_classifier(folder)
