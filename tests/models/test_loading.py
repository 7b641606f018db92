"""Loading: classifiers as they were saved, encoders with a new head, and what is refused."""

import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from itune import UserError
from itune.models import (
    from_hugging_face,
    has_head,
    load_classifier,
    load_encoder,
    save_classifier,
)
from tests.helpers.tiny_bert import KEY, TINY, assert_same, edit_config, tiny_tensors

NAMES = ("bad", "fair", "good")


@pytest.fixture
def folder(tmp_path):
    params = from_hugging_face(tiny_tensors(), TINY, KEY)
    save_classifier(tmp_path / "model", TINY, params, None, labels=NAMES)
    return tmp_path / "model"


def without(folder, *names):
    tensors = {name: value for name, value in tiny_tensors().items() if name not in names}
    save_file(tensors, folder / "model.safetensors")


def test_what_was_saved(folder):
    found = load_classifier(folder)
    assert found.config == TINY and found.labels == NAMES
    assert_same(found.params, from_hugging_face(tiny_tensors(), TINY, KEY))


def test_names_of_the_classes(folder):
    edit_config(folder, id2label={"2": "c", "0": "a ", "1": 7})
    assert load_classifier(folder).labels == ("a", "7", "c")
    edit_config(folder, id2label=..., num_labels=3, problem_type="single_label_classification")
    assert load_classifier(folder).labels == ("LABEL_0", "LABEL_1", "LABEL_2")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model_type": "xlnet"}, "is for model_type 'xlnet', which is not supported"),
        ({"id2label": {"1": "a", "2": "b", "3": "c"}}, "is not numbered from 0 to 2"),
        ({"id2label": ["a", "b", "c"]}, r"id2label is \['a', 'b', 'c'\], not an object"),
        ({"id2label": {"0": "a", "1": "a", "2": "b"}}, "has a name twice"),
        ({"id2label": {"0": "a"}}, "has 1 label; only classifiers of two classes"),
        ({"problem_type": "regression"}, "has problem_type 'regression'; only"),
        ({"id2label": {"0": "a", "1": "b"}}, r"a classifier of shape \(3, 4\), not of 2 labels"),
    ],
)
def test_another_kind_of_model(folder, values, message):
    edit_config(folder, **values)
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


def test_weights_that_are_no_safetensors(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"only pytorch_model.bin\); pickled weights are not read"):
        load_classifier(folder)
    np.save(folder / "model.safetensors.npy", 0)
    (folder / "model.safetensors.npy").rename(folder / "model.safetensors")
    with pytest.raises(UserError, match="may be truncated"):
        load_classifier(folder)


def test_a_new_head_in_place_of_the_old(folder):
    assert has_head(folder)
    config, found = load_encoder(folder, 2, KEY, new_head=True)
    assert config.num_labels == 2 and found["classifier"]["kernel"].shape == (4, 2)
    assert_same(found["pooler"], load_classifier(folder).params["pooler"])


def test_other_number_of_labels(folder):
    with pytest.raises(UserError, match=r"classifier of shape \(3, 4\), not of 2 labels"):
        load_encoder(folder, 2, KEY)


def test_import_is_light():
    heavy = ("transformers", "huggingface_hub", "torch", "datasets")
    code = f"import sys, itune.models; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
