"""What is confirmed, what harms, and in which order findings stand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from itune.auditing import CIDTest
from itune.discovery.association import Association
from itune.discovery.candidates import Candidates, find_candidates, is_named
from itune.discovery.config import DiscoverConfig
from itune.discovery.confirmation import ErrorGap
from itune.discovery.features.base import Feature, Rows
from itune.discovery.findings import Discovery, Finding, Screened, settings_of
from itune.discovery.pairs import with_pairs
from itune.discovery.screening import Screening
from itune.tables.rules import parse_rule

NAN = float("nan")


def finding(name="a", low=0.1, p=0.01, gap=0.2, z=5.0, is_core=False):
    """A finding; ``low`` and ``gap`` are the lower ends of its CID and of its gap of errors."""
    return Finding(
        feature=Feature("words", name, {"rule": f"words:{name}"}),
        aliases=(),
        count=10,
        usual=0,
        rate=0.9,
        association=3.0,
        pmi=0.5,
        z=z,
        explained=0.1,
        test=None if low is None else CIDTest(low + 0.1, low, low + 0.3, 0.001, 40, 99),
        p=p,
        errors=ErrorGap(9, 0.5, 0.2, 0.3, gap, 0.4, 0.5),
        deletion=None,
        swap=None,
        by_label=(low or 0.0, NAN),
        is_core=is_core,
        examples=(),
    )


def search(**values):
    """A search of a model with two labels."""
    numbers = dict.fromkeys(("candidates", "screened", "confirming", "judged"), 10)
    findings = (finding("a"), finding("b"), finding("c", p=0.5))
    values = {"findings": findings, "label_names": ("no", "yes")} | values
    return Discovery(
        model="my model",
        judged_on="test",
        accuracy=0.9,
        config=DiscoverConfig(),
        digest="",
        **numbers,
        **values,
    )


@pytest.mark.parametrize(
    ("values", "is_confirmed", "is_harmful"),
    [
        ({}, True, True),
        ({"gap": -0.1}, True, False),
        ({"gap": NAN}, True, False),
        ({"is_core": True}, True, False),
        ({"low": -0.01}, False, False),
        ({"p": 0.06}, False, False),
        ({"low": None}, False, False),
    ],
)
def test_what_is_confirmed_and_harms(values, is_confirmed, is_harmful):
    one = finding(**values)
    assert (one.is_confirmed, one.is_harmful) == (is_confirmed, is_harmful)


def test_the_order():
    """Used ones by the gap that is certain, then core, then what is not confirmed, by z."""
    given = {
        "weak": finding(p=1.0, z=1),
        "core": finding(is_core=True, gap=0.9, z=99),
        "unknown gap": finding(gap=NAN, z=9),
        "small gap": finding(gap=0.1, z=50),
        "large gap": finding(gap=0.3, z=2),
        "harmless, z 3": finding(gap=-1.0, z=3),
        "strong": finding(p=1.0, z=8, gap=0.5),
        "no test": finding(low=None, p=1.0, z=20),
    }
    order = ["large gap", "small gap", "unknown gap", "harmless, z 3", "core", "no test", "strong"]
    assert sorted(given, key=lambda name: given[name].rank) == [*order, "weak"]


def test_the_first_is_the_first_that_harms():
    harmless, harmful = finding("a", gap=-0.2), finding("b")
    found = search(findings=(harmless, harmful, finding("c", p=0.5)))
    assert found.first is harmful and found.confirmed == (harmless, harmful)
    rows = found.to_rows()
    assert [row["confirmed"] for row in rows] == [True, True, False]
    assert math.isnan(rows[0]["cid_exact"]) and rows[0]["settings"] == {"rule": "words:a"}


def test_nothing_harms_a_model_that_predicts_one_label():
    harmful = search()
    constant = replace(harmful, is_constant=True)
    assert [row["harmful"] for row in harmful.to_rows()] == [True, True, False]
    assert not any(row["harmful"] for row in constant.to_rows()) and constant.first is None


def word(name, counterpart="", slot="1", **values):
    """A finding of a word that is swapped for another one."""
    one = finding(name, **values)
    shown = counterpart and f'"{counterpart}"'
    feature = one.feature._replace(surface=name, slot=slot, counterpart=shown)
    return replace(one, feature=feature)


def test_those_in_one_anothers_place_are_one_confound():
    """Brands join where any is the counterpart of any; core, and what is not used, stays out."""
    findings = (
        word("a", "c"),
        word("x"),
        word("y", "a", slot="2"),
        word("b", "c"),
        word("c", "b"),
        word("d", "a", is_core=True),
        word("e", "a", p=0.5),
        word("z", "x"),
    )
    found = search(findings=findings)
    groups = [[one.feature.surface for one in group] for group in found.groups]
    assert groups == [["a", "b", "c"], ["x", "z"], ["y"]]
    assert settings_of(found.groups[0]) == {"rule": "words:a || words:b || words:c"}
    assert settings_of(found.groups[2]) == {"rule": "words:y"}
    together = [row["together"]["rule"] for row in found.to_rows()]
    assert together[0] == together[3] == together[4] == "words:a || words:b || words:c"
    assert together[5:7] == ["words:d", "words:e"]


def test_all_candidates_in_the_order_of_screening():
    association = Association(*(np.array(of) for of in ([0, 1], [0.5, 0.9], [1.0, 2.0], [0, 0.1])))
    screening = Screening(np.array([1.0, 3.0]), np.array([0.1, 0.2]), np.array([[0.5], [NAN]]))
    features = [Feature("words", name, {"rule": f"words:{name}"}) for name in "ab"]
    every = Screened(features, np.array([8, 9]), association, screening)
    rows = search(every=every).candidates_to_rows()
    assert [(row["feature"], row["rows"], row["label"]) for row in rows] == [
        ("b", 9, "yes"),
        ("a", 8, "no"),
    ]
    assert rows[1]["screened_cid no"] == 0.5 and math.isnan(rows[0]["screened_cid no"])
    assert search().candidates_to_rows() == []


def test_excluded_words_are_no_candidates():
    rows = Rows({"text": ["good acme", "good", "bad acme", "bad"] * 4}, {})
    rule = parse_rule("words:acme")
    names = [feature.name for feature in find_candidates(rows, 3, rule).features]
    assert 'word "good"' in names and not any("acme" in name for name in names)
    assert any("acme" in feature.name for feature in find_candidates(rows, 3).features)


def test_rules_look_at_the_words_of_a_feature_or_else_at_its_name():
    rule = parse_rule("words:word,capitals")
    assert not is_named(Feature("words", 'word "acme"', {}, surface="acme"), rule)
    assert is_named(Feature("characters", "capitals", {}), rule)
    assert not is_named(Feature("characters", "capitals", {}), None)


def test_pairs_must_score_more_than_both_their_parts():
    """Candidates are out of the order of their scores, so that places must be told apart."""
    rows = np.zeros((4, 40), np.float32)
    for place, having in enumerate((range(30, 36), range(0, 20), range(10, 30), range(34, 40))):
        rows[place, [*having]] = 1
    features = [
        Feature("words", f'word "{name}"', {"rule": f"words:{name}"}, name, name) for name in "xaby"
    ]
    singles, scores = Candidates(features, csr_matrix(rows)), [0.0, 3.0, 5.0, 1.0]

    def names(of_pair):
        def score(candidates):
            is_single = len(candidates.features) == 4
            return np.array(scores if is_single else [of_pair] * len(candidates.features))

        every, found = with_pairs(singles, score, minimum=3)
        assert len(found) == len(every.features) == every.rows.shape[0]
        return [feature.name for feature in every.features[4:]]

    assert names(6.0) == ['word "b" and word "a"'] and names(4.0) == [] and names(5.0) == []
