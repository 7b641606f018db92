"""ALBERT's own: the order in which its layers are called."""

import pytest

from itune import UserError
from itune.models.albert import AlbertConfig


def config(layers, groups, size):
    return AlbertConfig(40, 12, layers, 3, 20, num_groups=groups, group_size=size)


@pytest.mark.parametrize(
    "sizes, calls",
    [
        ((3, 1, 1), [0, 0, 0]),
        ((3, 2, 2), [0, 1, 0, 1, 2, 3]),
        ((18, 14, 1), [0, 0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 10, 10, 11, 12, 13]),
    ],
)
def test_groups_are_called_as_transformers_calls_them(sizes, calls):
    assert config(*sizes).calls == calls


def test_a_group_that_would_never_be_called_is_refused():
    with pytest.raises(UserError, match="num_hidden_groups 4 is greater than num_hidden_layers 3"):
        config(3, 4, 1)
