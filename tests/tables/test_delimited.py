"""CSV and TSV: what quotation marks are, and files that look otherwise."""

import csv

import pyarrow as pa
import pytest

from itune import UserError
from itune.errors import on_command_line
from itune.tables import TableConfig, make_tables
from itune.tables.readers import READERS
from itune.tables.selection import Selection


def read(path, content, quoted=None):
    path.write_bytes(content.encode())
    selection = Selection(("text",), ("label",), quoted)
    batches = list(READERS[path.suffix].read(path, selection))
    columns = pa.Table.from_batches(batches).to_pydict()
    return list(zip(columns["0"], columns["1"], strict=True))


SENTENCES = [
    ('"I came early.', "1"),
    ("Nobody was there.", "0"),
    ("I went home.", "1"),
    ('You left," he said.', "0"),
    ('"Yes."', "1"),
    ('5" of snow', "0"),
]


@pytest.mark.parametrize("is_text_first", [True, False])
def test_quotation_marks_in_tsv_are_characters(is_text_first, tmp_path):
    """One sentence opens a quotation, another closes it."""
    rows = [("text", "label"), *SENTENCES]
    lines = ["\t".join(row if is_text_first else reversed(row)) for row in rows]
    for end in ("\n", "\r\n"):
        for quoted in (None, False):
            assert read(tmp_path / "a.tsv", end.join(lines) + end, quoted) == SENTENCES
    assert read(tmp_path / "a.csv", "\n".join(lines), quoted=False) == SENTENCES


@pytest.mark.parametrize("is_text_first", [True, False])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_quote_that_swallows_rows_of_csv(is_text_first, delimiter, tmp_path):
    """A quotation mark at the start of a field and one at the end of another field."""
    middle = ['"I came early.', "Nobody was there.", 'You left."']
    texts = ["Good.", "Fair.", *middle, "Bad."]
    rows = [("text", "label"), *((text, str(row % 2)) for row, text in enumerate(texts))]
    lines = [delimiter.join(row if is_text_first else row[::-1]) for row in rows]
    content = "\n".join([*lines, ""])
    with pytest.raises(UserError, match="line 4: a quotation mark opens .* to line 6, over what l"):
        read(tmp_path / "a.csv", content)
    assert len(read(tmp_path / "a.csv", content, quoted=True)) == 4
    assert len(read(tmp_path / "a.csv", content, quoted=False)) == 6


PARAGRAPHS = [
    ("Dear Sir,\nyours, 1\n0,bye", "1"),
    ("a\nb\n\nc", "0"),
    ("one, two\nthree, four", "1"),
    ('"All" of\r\nit,', "0"),
]


@pytest.mark.parametrize("is_text_first", [True, False])
def test_paragraphs_in_csv(is_text_first, tmp_path):
    rows = [("text", "label"), *PARAGRAPHS, ("one line", "0"), ("another", "1")]
    with (tmp_path / "b.csv").open("w", newline="") as file:
        csv.writer(file).writerows(row if is_text_first else row[::-1] for row in rows)
    content = (tmp_path / "b.csv").read_bytes().decode()
    assert read(tmp_path / "a.csv", content) == rows[1:]


WRITTEN = {
    "doubled": [["text", "label"], ["a", "0"], ['He said "Yes."', "1"], ['"No."', "0"]],
    "tab": [["text", "label"], ["a\tb", "0"]],
    "end of line": [["text", "label"], ["a\nb", "0"]],
}


@pytest.mark.parametrize("case", WRITTEN)
def test_a_tsv_that_is_quoted_is_told_so(case, tmp_path):
    with (tmp_path / "b.tsv").open("w", newline="") as file:
        csv.writer(file, delimiter="\t").writerows(WRITTEN[case])
    content = (tmp_path / "b.tsv").read_bytes().decode()
    assert read(tmp_path / "a.tsv", content, quoted=True) == list(map(tuple, WRITTEN[case][1:]))
    with pytest.raises(UserError, match="a.tsv, line .*say quoted=True if"):
        read(tmp_path / "a.tsv", content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tsv", '"text"\t"label"\n"a"\t"1"\n', "its header is in quotation marks.*quoted=True"),
        (
            "a.tsv",
            'text\tlabel\na\t""\n',
            r'line 2: quotation marks seem to enclose .* "\\"\\""; s',
        ),
        ("a.tsv", "text\tlabel\na\tb\tc\n", "line 2: has 3 fields but the header 2; take tabs and"),
        ("a.tsv", "text\tlabel\ra\t1\r", "line 1: holds a carriage return"),
        ("a.csv", 'text,label\n"a,1\nb,0\n', "line 2: is no CSV .*or say quoted=False if"),
        ("a.csv", "text,label\na\rb,1\n", "line 2: holds a carriage return, .* quote text that"),
        ("a.csv", "\n\ntext,label\na\n", "line 4: has 1 field but"),
    ],
)
def test_refuses(name, content, message, tmp_path):
    with pytest.raises(UserError, match=message) as error:
        read(tmp_path / name, content)
    assert "\n" not in str(error.value) and "\r" not in str(error.value)


def test_a_tsv_with_commas_in_its_header(tmp_path):
    assert read(tmp_path / "a.tsv", "text\tlabel\ta, b, c\nx, y\t1\t\n") == [("x, y", "1")]
    assert read(tmp_path / "a.tsv", 'text,label\n"x, y",1\n') == [("x, y", "1")]


def test_a_setting(tmp_path):
    (tmp_path / "a.tsv").write_text('text\tlabel\n"a\tb"\t1\n"c"\t0\n')
    config = TableConfig(confound=None, quoted=True, dev_fraction=0, test_fraction=0)
    tables = make_tables(tmp_path / "a.tsv", config)
    assert [tables.train.texts(row) for row in range(2)] == [("a\tb",), ("c",)]


def test_remedies_on_the_command_line(tmp_path):
    with on_command_line(), pytest.raises(UserError, match="say --quoted true if"):
        read(tmp_path / "a.tsv", "text\tlabel\na\tb\tc\n")
