"""The page of a search: its answers, and its table in any order."""

import re
import shlex
from dataclasses import replace

import pytest

from itune.discovery import Discovery
from itune.discovery.config import DiscoverConfig
from itune.discovery.confirmation import Deletion
from itune.report import discover_page
from itune.report.blocks import Code, Page, Section, Table
from itune.report.discover import next_commands
from itune.report.render import render
from itune.utils.formats import MISSING
from tests.discovery.test_findings import finding
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


def search(**values):
    numbers = dict.fromkeys(("candidates", "screened", "confirming", "judged"), 10)
    return Discovery(
        model="my model",
        label_names=("no", "yes"),
        findings=(finding("a"), finding("b"), finding("c", p=0.5)),
        judged_on="test",
        accuracy=0.9,
        config=DiscoverConfig(),
        digest="",
        **numbers,
        **values,
    )


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


@pytest.mark.parametrize(
    ("deletion", "expected"),
    [
        (None, MISSING),
        (Deletion(8, 2, 0.1, 0.5, 1), "25.0% of 8, 1 from no"),
        (Deletion(8, 0, 0.0, 0.3, 0), "0.0% of 8"),
    ],
)
def test_a_row_tells_the_worst_group_and_where_deletions_lead(deletion, expected):
    one = replace(finding("a"), deletion=deletion)
    blocks = discover_page(replace(search(), findings=(one,))).sections[0].blocks
    (table,) = [block for block in blocks if isinstance(block, Table)]
    cells = dict(zip(table.header, table.rows[0], strict=True))
    assert cells["worst group"] == "50.0%" and cells["deleted"] == expected


def test_commands_name_an_encoder_and_rows_that_were_given_in_python():
    def lines(**values):
        return [*next_commands(search(**values), finding("it's"), 2)]

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
