"""Subsets of the parameters: patterns, slices, and what they say when they fit nothing."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.influence import value_and_grad
from itune.influence.subsets import mask, restrict, selected, selected_shapes
from tests.helpers.influence_cases import assert_same_result, draw_tuples, get_case

TREE = {
    "head": {"bias": jnp.arange(2.0), "kernel": jnp.arange(6.0).reshape(3, 2)},
    "table": {"embedding": jnp.ones((4, 2))},
}
PATHS = [("head", "bias"), ("head", "kernel"), ("table", "embedding")]


@pytest.mark.parametrize(
    ("select", "kept"),
    [
        (None, [0, 1, 2]),
        ("*", [0, 1, 2]),
        ("head/*", [0, 1]),
        ("*/kernel", [1]),
        (["*/embedding", "head/bias"], [0, 2]),
        ("!table/*", [0, 1]),
        (["!table/*", "!*/bias"], [1]),
        (["*", "!head/*", "head/bias"], [0, 2]),
        (lambda path: path[-1] == "bias", [0]),
    ],
)
def test_what_is_kept(select, kept):
    assert selected(select, PATHS) == {PATHS[i]: () for i in kept}


def test_slices():
    select = ["head/kernel[:, 1:2]", "table/embedding[1:3]", "head/bias[:1]"]
    assert selected_shapes(select, TREE) == {
        ("head", "bias"): (1,),
        ("head", "kernel"): (3, 1),
        ("table", "embedding"): (2, 2),
    }
    bias, kernel, embedding = restrict(select, TREE)
    assert bias.tolist() == [0] and kernel.tolist() == [[1], [3], [5]] and embedding.size == 4
    masked = mask(select, TREE)
    assert masked["head"]["kernel"].tolist() == [[0, 1], [0, 3], [0, 5]]
    assert masked["table"]["embedding"].tolist() == [[0, 0], [1, 1], [1, 1], [0, 0]]
    assert mask("head/bias", TREE)["head"]["kernel"].tolist() == [[0, 0]] * 3


@pytest.mark.parametrize(
    ("select", "message"),
    [
        ("heads/*", r"'heads/\*' fits no parameter; there are head/bias, head/kernel, table/emb"),
        (["head/*", "tabel"], "'tabel' fits no parameter"),
        (["head/*", "!head/*"], "keeps no parameter"),
        (lambda path: False, "keeps no parameter"),
        ("head/kernel[1]", r"'head/kernel\[1\]': write slices as \[0:32\]"),
        ("head/kernel[1:2:3]", "write slices as"),
        ("!head/kernel[1:2]", "slices can be kept, not taken away"),
    ],
)
def test_messages(select, message):
    with pytest.raises(ValueError, match=message):
        selected(select, PATHS)


def test_long_lists_are_cut_short():
    with pytest.raises(ValueError, match=r"there are a0, a1, a2 and 7 more$"):
        selected("b", [(f"a{i}",) for i in range(10)])


def test_parameters_need_not_be_dicts():
    class Pair(NamedTuple):
        first: jax.Array
        second: list

    tree = Pair(jnp.ones(2), [jnp.ones(3), jnp.ones(4)])
    assert selected_shapes("!second/0", tree) == {("first",): (2,), ("second", "1"): (4,)}
    assert [leaf.size for leaf in restrict("second/*", tree)] == [3, 4]


# Parts of an embedding table, a kernel that is kept as Outer, one that is Formed, and a bias.
PARTS = [
    "embeddings/word/embedding[3:12, 2:6]",
    "layer_0/intermediate/kernel[1:5, :7]",
    "classifier/kernel[2:6]",
    "pooler/bias[3:]",
]


def test_every_route_agrees_on_slices():
    case = get_case("bert")
    tuples = draw_tuples(case.draw, np.random.default_rng(32), probes=1, partners=2)
    results = [
        jax.jit(value_and_grad(case.loss, route=route, select=PARTS))(case.params, tuples)
        for route in ("autodiff", "ghost", "hvp")
    ]
    (value, info), gradient = results[0]
    assert value > 0
    for result in results[1:]:
        assert_same_result(result, ((value, info.influences), gradient), 1e-10)


def test_stacked_tensors_cannot_be_cut():
    case = get_case("scan")
    tuples = draw_tuples(case.draw, np.random.default_rng(33))
    fun = value_and_grad(case.loss, select="ScanBlock_0/Dense_0/kernel[:1]")
    with pytest.raises(ValueError, match="'ScanBlock_0/Dense_0/kernel' .* cannot be cut by 1"):
        jax.eval_shape(fun, case.params, tuples)
