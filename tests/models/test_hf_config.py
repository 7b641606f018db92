"""Configurations: read as transformers reads them, and refused where they are not supported."""

import json

import pytest

from itune import UserError
from itune.models import from_hugging_face, load_config, load_encoder, save_classifier
from itune.models.registry import ARCHITECTURES, architecture_of
from tests.helpers.tiny_bert import KEY, TINY, edit_config, tiny_tensors


@pytest.fixture(scope="module")
def params():
    return from_hugging_face(tiny_tensors(), TINY, KEY)


@pytest.fixture
def saved(tmp_path, params):
    save_classifier(tmp_path / "model", TINY, params, None)
    return tmp_path / "model"


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_config_defaults_are_those_of_transformers(tmp_path, model_type):
    from transformers import AutoConfig

    theirs = AutoConfig.for_model(model_type)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    ours = load_config(tmp_path)
    written = architecture_of(ours).write_config(ours)
    rotary = getattr(theirs, "rope_parameters", None) or {}
    for name in written.keys() - {"architectures", "position_embedding_type", "pad_token_id"}:
        assert written[name] == (rotary[name] if name in rotary else getattr(theirs, name)), name
    assert ours.num_labels == theirs.num_labels == 2


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"model_type": "t5"}, "is for model_type 't5', which is not supported; choose"),
        ({"model_type": ...}, "does not tell its model_type"),
        ({"hidden_act": "mish"}, "config.json: hidden_act 'mish' is not supported"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type 'relative_key'"),
        ({"is_decoder": True}, "has is_decoder True; only False is supported"),
        ({"hidden_size": "4"}, "hidden_size is '4', not an integer"),
        ({"layer_norm_eps": None}, "layer_norm_eps is None, not a number"),
        ({"hidden_act": 3}, "hidden_act is 3, not a string"),
        ({"num_attention_heads": 3}, "hidden_size 4 is not a multiple of num_heads 3"),
        ({"vocab_size": 12}, r"model: tensor 'embeddings.word_embeddings.weight' has shape"),
        ({"id2label": {}, "num_labels": "2"}, "num_labels is '2', not an integer"),
        ({"id2label": 3}, "id2label is 3, not an object"),
        ({"model_type": ["bert"]}, r"model_type is \['bert'\], not a string"),
        ({"num_attention_heads": 0}, "num_attention_heads is 0, not an integer of 1 or more"),
        ({"max_position_embeddings": -8}, "max_position_embeddings is -8, not an integer of 1"),
        ({"layer_norm_eps": 0}, "layer_norm_eps is 0, not a positive number"),
        ({"layer_norm_eps": float("nan")}, "layer_norm_eps is nan, not a positive number"),
        ({"hidden_dropout_prob": 1.5}, "hidden_dropout_prob is 1.5, not a rate from 0 to 1"),
        ({"classifier_dropout": "0"}, "classifier_dropout is '0', not a number"),
    ],
)
def test_bad_config(saved, changes, words):
    edit_config(saved, **changes)
    with pytest.raises(UserError, match=words):
        load_encoder(saved, 3, KEY)


@pytest.mark.parametrize("bad", [None, [], {}, "", True, -1, float("inf")])
@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_a_value_of_no_use_is_one_line(tmp_path, model_type, bad):
    """Whatever the key: it is refused by its name, unless it is a value that the key may have."""
    architecture = ARCHITECTURES[model_type]
    path = tmp_path / "config.json"
    for key in architecture.write_config(architecture.read_config({}, path)):
        if key not in ("architectures", "model_type"):
            try:
                config = architecture.read_config({key: bad}, path)
            except UserError as error:
                assert "\n" not in str(error)
                assert key in str(error) or "hidden_act" in str(error)  # its name in the field
            else:
                assert architecture.read_config(architecture.write_config(config), path) == config


def test_a_table_of_positions_without_room_for_one_is_refused(tmp_path):
    with pytest.raises(UserError, match="max_position_embeddings is 2, but must be at least 3"):
        ARCHITECTURES["roberta"].read_config({"max_position_embeddings": 2}, tmp_path)


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
