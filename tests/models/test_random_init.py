"""An encoder without pretraining: it knows its words, has no head, and depends on its seed."""

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file

from itune import UserError
from itune.models import has_head, load_encoder, load_tokenizer, write_random_encoder

TEXTS = ["It's a naïve kettle, really.", "12 Kettles"]


def test_it_knows_its_words(tmp_path):
    folder = write_random_encoder(tmp_path / "a", TEXTS, width=8, layers=2, max_positions=9)
    tokenizer = load_tokenizer(folder)
    assert tokenizer.tokenize(TEXTS[0]) == [
        "it",
        "'",
        "s",
        "a",
        "naive",
        "kettle",
        ",",
        "really",
        ".",
    ]
    assert tokenizer.tokenize("12 pots") == ["12", "[UNK]"]
    config, params = load_encoder(folder, 3, jax.random.key(0))
    assert (config.hidden_size, config.num_layers, config.max_positions) == (8, 2, 9)
    assert not has_head(folder) and params["classifier"]["kernel"].shape == (8, 3)


def test_a_function_of_its_arguments_alone(tmp_path):
    weights = [
        load_file(
            write_random_encoder(tmp_path / str(n), TEXTS, width=8, seed=n // 2)
            / "model.safetensors"
        )
        for n in range(3)
    ]
    name = "bert.pooler.dense.weight"
    np.testing.assert_array_equal(weights[0][name], weights[1][name])
    assert not np.array_equal(weights[1][name], weights[2][name])


def test_bad_arguments(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(UserError, match="is not empty; choose another folder"):
        write_random_encoder(tmp_path, TEXTS, width=8)
    with pytest.raises(UserError, match="hidden_size"):
        write_random_encoder(tmp_path / "a", TEXTS, width=9)
