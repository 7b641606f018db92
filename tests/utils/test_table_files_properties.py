"""Tables as CSV, Markdown and LaTeX, parsed back by other programs."""

import csv
import io
import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from itune.utils.table_files import cell_text, to_csv, to_latex, to_markdown

MARKS = st.sampled_from("ab|\\`*_[]<>&$~#!-+.1:;'\"/ \n")
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXT = st.text(st.one_of(MARKS, LETTERS), max_size=8)
NAMES = TEXT.filter(lambda name: "\r" not in name)
CELLS = st.one_of(TEXT, st.integers(), st.floats(allow_nan=False), st.none())
LATEX_WORDS = r"\\(?:textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|"
LATEX_WORDS += r"textasciigrave|textendash)\{\}|\\char34\{\}|\$(?:-|\\(?:pm|times|rightarrow|leq|"
LATEX_WORDS += r"geq))\$|\\[&%$#_{}]|\{[\[\]*]\}|-\{\}-"


@st.composite
def tables(draw, cells=CELLS):
    """A random header, and random rows of its width."""
    width = draw(st.integers(1, 4))
    row = st.lists(cells, min_size=width, max_size=width)
    header = draw(st.lists(NAMES, min_size=width, max_size=width))
    return header, draw(st.lists(row, max_size=4))


# Not "\r" alone: before Python 3.13, csv writes it without the quotes that its reader wants.
@given(tables(CELLS.filter(lambda cell: "\r" not in str(cell))))
def test_csv_is_read_back(table):
    header, rows = table
    read = list(csv.reader(io.StringIO(to_csv(header, rows), newline=""), strict=True))
    assert read[0] == header
    for row, cells in zip(rows, read[1:], strict=True):
        for value, cell in zip(row, cells, strict=True):
            text = "" if value is None else value
            assert float(cell) == text if isinstance(text, float) else cell == str(text)


@given(tables())
def test_markdown_is_read_back(table):
    header, rows = table
    tokens = MarkdownIt().enable(["table", "strikethrough"]).parse(to_markdown(header, rows))
    children = [token.children for token in tokens if token.type == "inline"]
    assert all(token.type in {"text", "text_special"} for inline in children for token in inline)
    read = ["".join(token.content for token in inline) for inline in children]
    assert read == [cell_text(cell) for row in (header, *rows) for cell in row]


@given(tables())
def test_nothing_in_latex_is_a_command_but_what_was_meant(table):
    header, rows = table
    text = to_latex(header, rows, caption="", label="x")
    body = text.split("\\midrule\n")[1].split("\n    \\bottomrule")[0]
    lines = body.split("\n") if rows else []
    assert len(lines) == len(rows)
    for line in lines:
        assert line.endswith(r" \\")
        cells = re.sub(LATEX_WORDS, "", line.removesuffix(r" \\").removeprefix("    ")).split(" & ")
        assert len(cells) == len(header)
        assert not re.search(r"[&%$#_{}~^\\\[\]*<>|\"`]|--", "".join(cells)), line
