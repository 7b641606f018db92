"""Rankings: both ends, ties, and how they read."""

import numpy as np
import pytest

from itune.attribution import Ranked, format_top, top

SCORES = np.array([0.25, -1.0, 3.0, -1.0, 0.0])


def indices(rows):
    return [row.index for row in rows]


@pytest.mark.parametrize(
    ("k", "helpful", "harmful"),
    [
        (1, [2], [1]),
        (3, [2, 0, 4], [1, 3, 4]),
        (9, [2, 0, 4, 1, 3], [1, 3, 4, 0, 2]),
    ],
)
def test_order(k, helpful, harmful):
    """Equal scores (1 and 3) by index, in both; no more than there are."""
    found = top(SCORES, k)
    assert indices(found.helpful) == helpful and indices(found.harmful) == harmful
    assert [row.score for row in found.helpful] == SCORES[helpful].tolist()


def test_many_equal_scores():
    found = top(np.arange(999) % 3, 3)
    assert indices(found.helpful) == [2, 5, 8] and indices(found.harmful) == [0, 3, 6]
    found = top(np.zeros(999), 2)
    assert indices(found.helpful) == indices(found.harmful) == [0, 1]


def test_texts_and_labels_belong_to_their_example():
    found = top(SCORES, 1, texts=list("abcde"), labels=range(5), probes="p")
    assert found.helpful == (Ranked(2, 3.0, "c", 2),) and found.harmful[0].text == "b"
    assert found.probe == "p"


def test_a_matrix_is_a_list_of_rankings():
    found = top(np.stack([SCORES, -SCORES]), 2, texts=list("abcde"), probes=["p", "q"])
    assert [t.probe for t in found] == ["p", "q"]
    assert indices(found[0].helpful) == [2, 0] and indices(found[1].helpful) == [1, 3]
    (single,) = top(SCORES[None], 1, probes="p")
    assert single.probe == "p"


def test_as_text():
    texts = ["Positive . short", "a\nb", "long " * 20, "", "x"]
    found = top(SCORES, 2, texts=texts, labels=[0, 1, 10, 1, 0], probes="who  won")
    assert format_top(found, width=20).split("\n") == [
        "probe: who won",
        "most helpful",
        "     +3  #2  label 10  long long long …",
        "  +0.25  #0  label 0   Positive . short",
        "most harmful",
        "     -1  #1  label 1   a b",
        "     -1  #3  label 1",
    ]
    assert "long " * 10 in str(found)


def test_scores_alone():
    assert str(top(SCORES, 1)).split("\n") == [
        "most helpful",
        "  +3  #2",
        "most harmful",
        "  -1  #1",
    ]


@pytest.mark.parametrize("k", [0, -2])
def test_k(k):
    with pytest.raises(ValueError, match=f"k is {k}; it must be positive"):
        top(SCORES, k)


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0), (2, 2, 2)])
def test_shape(shape):
    with pytest.raises(ValueError, match=r"scores have shape \(.*give \(N,\) or \(P, N\)"):
        top(np.zeros(shape))


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_not_finite(value):
    scores = np.stack([SCORES, SCORES])
    scores[1, 3] = value
    with pytest.raises(ValueError, match="training example 3 on probe 1 is"):
        top(scores)


@pytest.mark.parametrize("name", ["texts", "labels", "probes"])
def test_lengths(name):
    with pytest.raises(ValueError, match=f"there are 4 {name}; scores .* need [25]"):
        top(np.stack([SCORES, SCORES]), **{name: ["a"] * 4})
