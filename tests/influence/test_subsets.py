"""Subsets of the parameters: patterns, slices, and what they say when they fit nothing."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from hypothesis import given, settings
from hypothesis import strategies as st

from itune.influence import LinenLoss, value_and_grad
from itune.influence.factors import factored_gradient
from itune.influence.subsets import by_path, mask, restrict, selected, selected_shapes
from tests.helpers.influence_cases import (
    assert_same_result,
    classify,
    draw_tokens,
    draw_tuples,
    get_case,
    random_params,
)

TREE = {
    "head": {"bias": jnp.arange(2.0), "kernel": jnp.arange(6.0).reshape(3, 2)},
    "table": {"embedding": jnp.ones((4, 2))},
}
PATHS = [("head", "bias"), ("head", "kernel"), ("table", "embedding")]


@pytest.mark.parametrize(
    ("select", "indices"),
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
def test_what_is_selected(select, indices):
    assert selected(select, PATHS) == {PATHS[i]: () for i in indices}


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
        (
            "heads/*",
            r"'heads/\*' fits no parameter; the parameters are head/bias, head/kernel, table/emb",
        ),
        (["head/*", "tabel"], "'tabel' fits no parameter"),
        (["head/*", "!head/*"], "selects no parameter"),
        (lambda path: False, "selects no parameter"),
        ("head/kernel[1]", r"'head/kernel\[1\]': write slices as \[0:32\]"),
        ("head/kernel[1:2:3]", "write slices as"),
        ("head\n/kernel", "is not a pattern; write it on one line"),
        ("!head/kernel[1:2]", "excludes slices; slices can only be included"),
    ],
)
def test_messages(select, message):
    with pytest.raises(ValueError, match=message):
        selected(select, PATHS)


def test_long_lists_are_cut_short():
    with pytest.raises(ValueError, match=r"the parameters are a0, a1, a2 and 7 more$"):
        selected("b", [(f"a{i}",) for i in range(10)])


def test_parameters_need_not_be_dicts():
    class Pair(NamedTuple):
        first: jax.Array
        second: list

    tree = Pair(jnp.ones(2), [jnp.ones(3), jnp.ones(4)])
    assert selected_shapes("!second/0", tree) == {("first",): (2,), ("second", "1"): (4,)}
    assert [leaf.size for leaf in restrict("second/*", tree)] == [3, 4]


NAMES = st.sampled_from(["a", "b", "kernel"])
TREES = st.dictionaries(st.tuples(NAMES, NAMES), st.integers(1, 4), min_size=1).map(
    lambda sizes: {
        first: {b: jnp.ones(size) for (a, b), size in sorted(sizes.items()) if a == first}
        for first in sorted({a for a, _ in sizes})
    }
)
GLOBS = st.tuples(*[NAMES | st.just("*")] * 2).map("/".join)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(TREES, GLOBS)
def test_a_pattern_and_its_exclusion_part_the_parameters(tree, glob):
    paths = list(by_path(tree))
    fitting = [
        p for p in paths if all(g in ("*", n) for g, n in zip(glob.split("/"), p, strict=True))
    ]
    rest = [path for path in paths if path not in fitting]
    for pattern, expected in ((glob, fitting), (f"!{glob}", rest)):
        if fitting and expected:
            assert list(selected(pattern, paths)) == expected
        else:
            with pytest.raises(ValueError, match="selects no parameter|fits no parameter"):
                selected(pattern, paths)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(TREES, st.integers(0, 3), st.integers(1, 4))
def test_slices_of_restrict_mask_and_shapes_agree(tree, start, length):
    select = f"*[{start}:{start + length}]"
    sizes = [len(range(leaf.size)[start : start + length]) for leaf in jax.tree.leaves(tree)]
    assert [leaf.size for leaf in restrict(select, tree)] == sizes
    assert [int(leaf.sum()) for leaf in jax.tree.leaves(mask(select, tree))] == sizes
    assert list(selected_shapes(select, tree).values()) == [(size,) for size in sizes]


class Words(nn.Module):
    """Words that go through a layer at every position and one on their mean."""

    @nn.compact
    def __call__(self, ids):
        words = nn.Dense(24, name="wide")(nn.Embed(7, 24, name="word")(ids))
        hidden = jnp.tanh(nn.Dense(2, name="narrow")(jnp.tanh(words)))
        return nn.Dense(7, name="classifier")(hidden.mean(axis=0))


# Parts of an embedding table, a kernel that is kept as Outer, one that is Formed, and a bias.
PARTS = [
    "word/embedding[3:6, 2:16]",
    "wide/kernel[1:15, :17]",
    "narrow/kernel[2:6]",
    "classifier/bias[3:]",
]
TERMS = ["Formed", "Formed", "Outer", "Lookup"]


def test_every_route_agrees_on_slices():
    tuples = draw_tuples(draw_tokens, np.random.default_rng(32), probes=1, partners=2)
    params = random_params(Words(), tuples.probe["x"][0])
    loss = LinenLoss(Words(), classify)
    factors = jax.eval_shape(
        partial(factored_gradient, loss, select=PARTS),
        params,
        jax.tree.map(lambda leaf: leaf[0], tuples.probe),
    )
    assert [type(term).__name__ for (term,) in factors.values()] == TERMS
    results = [
        jax.jit(value_and_grad(loss, route=route, select=PARTS))(params, tuples)
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
