"""The page of a search: its answers, and its table in any order."""

import csv
import re
import shlex
from dataclasses import replace

import numpy as np
import pytest

from itune.discovery.association import Association
from itune.discovery.confirmation import Counterfactual
from itune.discovery.findings import Screened
from itune.discovery.screening import Screening
from itune.report import discover_numbers, discover_page
from itune.report.blocks import Code, Page, Paragraph, Section, Table
from itune.report.discover import candidates_csv, next_commands
from itune.report.render import render
from itune.utils.formats import MISSING
from tests.discovery.test_findings import finding, search, word
from tests.helpers.html_walk import Walk

ROWS = (("b", "+0.5 (0.1 to 0.9)", 3), ("a", "–", 1200), ("c", "+1.5", None))


def test_rows_have_a_place_for_each_order():
    table = Table("Candidates", ("name", "CID", "rows"), ROWS, is_sortable=True)
    html = render(Page("t", "s", (), (Section("one", (table,)),), ""))
    styles = re.findall(r"<tr style=\"([^\"]*)\">", html)
    assert styles == [
        "--by-0: 1; --by-1: 1; --by-2: 1",
        "--by-0: 0; --by-1: 2; --by-2: 0",
        "--by-0: 2; --by-1: 0; --by-2: 2",
    ]
    assert len(Walk(html).all("input", type="radio")) == 4


def test_other_tables_have_none():
    html = render(Page("t", "s", (), (Section("one", (Table("x", ("a", "b"), (("1", 2),)),)),), ""))
    assert "--by-" not in html.partition("</style>")[2] and "<input" not in html


def test_commands_are_of_confirmed_ones_and_in_nobodys_way():
    found = search(table={"train": "t.csv", "text": "review"})
    blocks = [block for section in discover_page(found).sections for block in section.blocks]
    (code,) = [block for block in blocks if isinstance(block, Code)]
    commands = [shlex.split(line) for line in code.text.splitlines()]
    table = ["t.csv", "--text", "review"]
    assert commands[2] == [
        "itune",
        "audit",
        "my model",
        *table,
        "--rule",
        "words:b",
        *commands[2][-2:],
    ]
    assert commands[3] == ["itune", "tune", *table, "--rule", "words:b", *commands[3][-2:]]
    places = [command[-2:] for command in commands]
    assert [option for option, _ in places] == ["--out"] * 4 and len({*map(tuple, places)}) == 4


def test_every_confirmed_one_ends_in_commands():
    """The fifth as well, of which no sentence tells."""
    found = replace(search(table={"train": "t.csv"}), findings=tuple(map(finding, "abcde")))
    blocks = [block for section in discover_page(found).sections for block in section.blocks]
    (code,) = [block for block in blocks if isinstance(block, Code)]
    assert [f"words:{word}" in code.text for word in "abcde"] == [True] * 5
    assert len(code.text.splitlines()) == 10


def test_those_in_one_anothers_place_have_commands_together_and_core_has_none():
    findings = (word("a", "b"), finding("x"), word("b"), finding("c", is_core=True))
    found = search(table={"train": "t.csv"}, findings=findings)
    blocks = [block for section in discover_page(found).sections for block in section.blocks]
    (code,) = [block for block in blocks if isinstance(block, Code)]
    rules = [
        shlex.split(line)[4] for line in code.text.splitlines() if line.startswith("itune tune")
    ]
    assert rules == ["words:a || words:b", "words:x"]
    (told, _) = [block.text for block in blocks if isinstance(block, Paragraph)]
    assert told.startswith("a, b stand in one another's place")


CHANGED = Counterfactual(8, 3, 0.1, 0.6, 2, (1, 2))


def tables(found):
    blocks = discover_page(found).sections[0].blocks
    return [block for block in blocks if isinstance(block, Table)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (None, MISSING),
        (CHANGED, "37.5% of 8"),
        (Counterfactual(8, 0, 0.0, 0.3, 0, (0, 0)), "0.0% of 8"),
    ],
)
def test_a_row_tells_the_worst_group_and_what_changes(change, expected):
    for name in ("deletion", "swap"):
        one = replace(finding("a"), **{name: change})
        (table, *_) = tables(replace(search(), findings=(one,)))
        cells = dict(zip(table.header, table.rows[0], strict=True))
        assert cells["worst group"] == "50.0%"
        shown = {"deletion": cells["deleted"], "swap": cells["swapped"]}
        assert shown.pop(name) == expected and [*shown.values()] == [MISSING]


def test_tables_tell_cid_by_label_and_where_predictions_go():
    one = finding("a")
    one = replace(one, swap=CHANGED, feature=one.feature._replace(counterpart='"b"'))
    found = replace(search(), findings=(one, finding("c", p=0.5)))
    _, by_label, changes = tables(found)
    assert by_label.header == ("candidate", "no", "yes")
    assert by_label.rows == (("a", "+0.100", "–"),)
    assert changes.rows == (
        ("a", 'swapped for "b"', "3 of 8", "10.0% to 60.0%", "2 of 3", "yes 2, no 1"),
    )
    (sentence, *_) = discover_page(found).lead[0].reasons
    assert sentence.endswith(
        'swapped for "b" in 8 texts it changes 3 predictions, 2 of them from no and 2 to yes.'
    )
    row, _ = found.to_rows()
    assert row["cid_by_label"]["no"] == 0.1 and row["swapped_for"] == '"b"'
    assert row["swap_changed_to"] == {"no": 1, "yes": 2}
    assert row["changed_to"] == {"no": 0, "yes": 0}


def test_of_many_labels_those_where_cid_is_largest():
    values = (0.1, float("nan"), 0.3, 0.2, 0.6, 0.5, 0.4, 0.0)
    labels = tuple("abcdefgh")
    found = replace(
        search(), label_names=labels, findings=(replace(finding("a"), by_label=values),)
    )
    (_, table) = tables(found)
    assert table.header == ("candidate", *"acdefg") and "The 6 labels" in table.note


def test_commands_name_an_encoder_and_rows_that_were_given_in_python():
    def lines(**values):
        return [*next_commands(search(**values), {"rule": "words:it's"}, 2)]

    other = lines(table={"train": "t.csv"}, encoder="my bert")
    assert shlex.split(other[1])[3:] == [
        *("--rule", "words:it's", "--encoder", "my bert", "--out", "tuned-2")
    ]
    assert "--encoder" not in other[0]
    assert len(lines(table=None)) == 1 and lines(table=None)[0].startswith(
        "itune audit 'my model' --rule"
    )
    given = {"train": None, "dev": None, "test": "t.csv", "text": "review"}
    calls = []

    class Library:
        def audit(self, *args, **options):
            calls.append((args, options))

        tune = audit

    for line in lines(table=given, encoder="my bert"):
        eval(line, {"itune": Library(), "data": "rows", "dev": "more"})
    options = {"dev": "more", "test": "t.csv", "text": "review", "rule": "words:it's"}
    tuned = {"out": "tuned-2", "settings": {"encoder": "my bert"}}
    assert calls == [(("my model", "rows"), options), (("rows",), options | tuned)]


def test_all_candidates_as_csv():
    assert candidates_csv(search()) == "\n"
    found = search()
    screening = Screening(np.array([2.0]), np.array([0.1]), np.array([[0.5, float("nan")]]))
    association = Association(*(np.array([of]) for of in (1, 0.75, 3.0, 0.5)))
    every = Screened([finding("it's").feature], np.array([8]), association, screening)
    header, row = candidates_csv(replace(found, every=every)).splitlines()
    assert header == (
        "feature,kind,rows,label,rate,association_z,pmi,screening_z,explained,screened_cid no,"
        "screened_cid yes,options"
    )
    (cells,) = csv.reader([row])
    assert cells[:-1] == [
        "it's",
        "words",
        "8",
        "yes",
        "0.75",
        "3.0",
        "0.5",
        "2.0",
        "0.1",
        "0.5",
        "",
    ]
    assert shlex.split(cells[-1]) == ["--rule", "words:it's"]
    assert "every" not in discover_numbers(replace(found, every=every))
