"""Twins of training rows: the confound's text deleted or swapped."""

import numpy as np
import pytest

from itune.corpora import DataConfig, MsgsConfig, TextLenConfig
from itune.errors import UserError
from itune.tables import TableConfig, make_tables, task_tables
from itune.tables.twins import make_twins

TEXTS = ["He and Acme", "She or Umbrella", "Nobody", "ACME, he said", "So what"]
WHOLE = {"dev_fraction": 0, "test_fraction": 0}


def twins_of(tables, rows=None, seed=0):
    rows = np.arange(tables.train.size) if rows is None else np.array(rows)
    twins, of = make_twins(tables, rows, np.random.default_rng(seed), "m")
    column = tables.rule_on
    found = [twins.texts(row)[column] for row in range(twins.size)]
    np.testing.assert_array_equal(twins.label, tables.train.label[of])
    return dict(zip(of.tolist(), found, strict=True))


def table(rule, texts=TEXTS, **options):
    columns = {
        "text": texts,
        "label": np.arange(len(texts)) % 2,
        "confound": ["a", "b"] * 2 + ["a"],
    }
    return make_tables(columns, TableConfig(rule=rule, **WHOLE, **options))


@pytest.mark.parametrize(
    ("rule", "twins"),
    [
        ("words:acme", {0: "He and", 3: ", he said"}),
        (
            "words:acme || words:umbrella",
            {0: "He and Umbrella", 1: "She or Acme", 3: "UMBRELLA, he said"},
        ),
        ("words:he || words:she", {0: "She and Acme", 1: "He or Umbrella", 3: "ACME, she said"}),
        ("regex:[Aa]nd |or ", {0: "He Acme", 1: "She Umbrella"}),
        (
            "prefix:So",
            {
                0: "So He and Acme",
                1: "So She or Umbrella",
                2: "So Nobody",
                3: "So ACME, he said",
                4: "what",
            },
        ),
    ],
)
def test_rules(rule, twins):
    assert twins_of(table(rule)) == twins


def test_only_some_rows():
    assert twins_of(table("words:acme"), [1, 3, 4]) == {3: ", he said"}


def test_drawn_words_depend_on_the_seed():
    """Lists of two lengths have no partners: another word that was matched is drawn."""
    texts = ["a he", "a she", "a he", "her she", "a he"]
    drawn = [twins_of(table("words:he || words:she,her,hers", texts), seed=n)[0] for n in range(9)]
    assert set(drawn) == {"a she", "a her"}
    again = twins_of(table("words:he || words:she,her,hers", texts), seed=0)
    assert again[0] == drawn[0] and again[1] == "a he"


def test_the_other_text_of_a_pair_stays():
    columns = {"q": TEXTS, "a": TEXTS[::-1], "label": [0, 1] * 2 + [0]}
    config = TableConfig(
        text="q", text_pair="a", label="label", rule="words:acme", rule_on="text_pair", **WHOLE
    )
    tables = make_tables(columns, config)
    assert twins_of(tables) == {1: ", he said", 4: "He and"}
    assert (
        make_twins(tables, np.arange(5), np.random.default_rng(0), "m")[0].texts(0)[0] == TEXTS[1]
    )


@pytest.mark.parametrize("rule", [None, "length:>=2", "words:acme"])
def test_without_a_place_to_edit_it_is_refused(rule):
    """A column of confounds, a length, and words that no visible row has."""
    with pytest.raises(
        UserError,
        match="^method m takes .* and finds no place of it in 2 .*; make it by a rule .*, or use "
        "method balanced_sampling$",
    ):
        twins_of(table(rule), [2, 4])


@pytest.mark.parametrize(
    "config",
    [
        DataConfig(textlen=TextLenConfig(train_size=20, dev_size=4, test_size=4)),
        DataConfig(task="msgs", msgs=MsgsConfig(20, 4, 4, inoculation=0.1)),
    ],
)
def test_tasks_have_their_own(config):
    """The twin of every row has the other confound, and that of the twin is the row."""
    tables = task_tables(config)
    twins = twins_of(tables)
    assert sorted(twins) == list(range(20))
    for row, twin in twins.items():
        text = tables.train.texts(row)[0]
        starts = [
            next(n for n, p in enumerate(PREFIXES[config.task]) if p(t)) for t in (text, twin)
        ]
        assert starts == [tables.train.confound[row], 1 - tables.train.confound[row]]
        assert tables.counterpart(twin) == text


PREFIXES = {
    "textlen": [lambda t, p=p: t.startswith(p) for p in ("Negative . ", "Positive . ")],
    "msgs": [
        lambda t: f" {t.lower()} ".index(" a ") < f" {t.lower()} ".index(" the "),
        lambda t: f" {t.lower()} ".index(" the ") < f" {t.lower()} ".index(" a "),
    ],
}


def test_a_task_read_with_another_rule_goes_by_that():
    config = DataConfig(textlen=TextLenConfig(train_size=20, dev_size=4, test_size=4))
    assert task_tables(config, TableConfig(rule="words:of")).counterpart is None
    assert task_tables(config, is_control=True).counterpart is None
