"""MPNet's own: buckets of distances, and variants that transformers does not compute either."""

import math

import pytest

from itune import UserError
from itune.models.mpnet import MPNetConfig, relative_buckets
from itune.models.registry import ARCHITECTURES


def bucket(query, key):
    """T5's rule, by a logarithm."""
    distance = abs(key - query)
    row = distance if distance < 8 else min(8 + math.floor(2 * math.log2(distance / 8)), 15)
    return row + 16 * (key > query)


def test_buckets_are_those_of_the_logarithm():
    assert relative_buckets(300).tolist() == [
        [bucket(query, key) for key in range(300)] for query in range(300)
    ]


def test_another_number_of_buckets_is_refused(tmp_path):
    values = {"relative_attention_num_buckets": 16}
    with pytest.raises(UserError, match="relative_attention_num_buckets 16; only 32 is supported"):
        ARCHITECTURES["mpnet"].read_config(values, tmp_path / "config.json")


@pytest.mark.parametrize("rate", [None, 0.3])
def test_the_dropout_of_the_head_is_written_if_it_is_its_own(tmp_path, rate):
    config = MPNetConfig(40, 12, 2, 3, 20, classifier_dropout=rate)
    values = ARCHITECTURES["mpnet"].write_config(config)
    assert ("classifier_dropout" in values) == (rate is not None)
    assert ARCHITECTURES["mpnet"].read_config(values, tmp_path / "config.json") == config
