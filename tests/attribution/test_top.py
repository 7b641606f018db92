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
    actual = top(SCORES, k)
    assert indices(actual.helpful) == helpful and indices(actual.harmful) == harmful
    assert [row.score for row in actual.helpful] == SCORES[helpful].tolist()


def test_many_equal_scores():
    actual = top(np.arange(999) % 3, 3)
    assert indices(actual.helpful) == [2, 5, 8] and indices(actual.harmful) == [0, 3, 6]
    actual = top(np.zeros(999), 2)
    assert indices(actual.helpful) == indices(actual.harmful) == [0, 1]


def test_texts_and_labels_belong_to_their_example():
    actual = top(SCORES, 1, texts=list("abcde"), labels=range(5), probes="p")
    assert actual.helpful == (Ranked(2, 3.0, "c", 2),) and actual.harmful[0].text == "b"
    assert actual.probe == "p"


def test_a_matrix_is_a_list_of_rankings():
    actual = top(np.stack([SCORES, -SCORES]), 2, texts=list("abcde"), probes=["p", "q"])
    assert [t.probe for t in actual] == ["p", "q"]
    assert indices(actual[0].helpful) == [2, 0] and indices(actual[1].helpful) == [1, 3]
    (single,) = top(SCORES[None], 1, probes="p")
    assert single.probe == "p"


def test_as_text():
    texts = ["Positive . short", "a\nb", "long " * 20, "", "x"]
    actual = top(SCORES, 2, texts=texts, labels=[0, 1, 10, 1, 0], probes="who  won")
    assert format_top(actual, width=20).split("\n") == [
        "probe: who won",
        "most helpful",
        "     +3  #2  label 10  long long long …",
        "  +0.25  #0  label 0   Positive . short",
        "most harmful",
        "     -1  #1  label 1   a b",
        "     -1  #3  label 1",
    ]
    assert "long " * 10 in str(actual)


def test_scores_alone():
    assert str(top(SCORES, 1)).split("\n") == [
        "most helpful",
        "  +3  #2",
        "most harmful",
        "  -1  #1",
    ]


@pytest.mark.parametrize("k", [0, -2])
def test_k(k):
    with pytest.raises(ValueError, match=f"k must be positive, got {k}"):
        top(SCORES, k)


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0), (2, 2, 2)])
def test_shape(shape):
    with pytest.raises(ValueError, match=r"scores must have shape \(N,\) or \(P, N\), .*got \("):
        top(np.zeros(shape))


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_not_finite(value):
    scores = np.stack([SCORES, SCORES])
    scores[1, 3] = value
    with pytest.raises(ValueError, match="training example 3 on probe 1 is"):
        top(scores)


@pytest.mark.parametrize("name", ["texts", "labels", "probes"])
def test_lengths(name):
    with pytest.raises(ValueError, match=f"{name} must have [25] entries for scores .*, got 4"):
        top(np.stack([SCORES, SCORES]), **{name: ["a"] * 4})
