"""Tables as text: what is escaped, what stands to the right, and what lands on disk."""

import csv
import io

import numpy as np
import pytest

from itune.errors import UserError
from itune.utils.table_files import to_csv, to_latex, to_markdown, write_table

HEADER = ["name", "value"]


def test_markdown():
    rows = [["_a | `c` *d* \\ <br> &amp; $x$ [e]", 0.98765], ["p < .05 & q", None], ["x\ny", -2]]
    assert to_markdown(HEADER, rows).splitlines() == [
        "| name                                           | value |",
        "| ---------------------------------------------- | ----: |",
        r"| \_a \| \`c\` \*d\* \\ \<br> \&amp; \$x\$ \[e\] | 0.988 |",
        "| p < .05 & q                                    | –     |",
        "| x y                                            | -2    |",
    ]


def test_latex():
    rows = [['50 % & _a_ #1 {b} $c$ ~ ^ \\ < > | "q" `r` --- é', "80.5 ± 2.0"], ["[0pt]", None]]
    text = to_latex(HEADER, rows, caption="A & B", label="tab:a_b c")
    assert (
        r"50 \% \& \_a\_ \#1 \{b\} \$c\$ \textasciitilde{} \textasciicircum{} \textbackslash{} "
        r"\textless{} \textgreater{} \textbar{} \char34{}q\char34{} \textasciigrave{}r"
        r"\textasciigrave{} -{}-- é & 80.5 $\pm$ 2.0 \\"
    ) in text
    assert r"{[}0pt{]} & \textendash{} \\" in text  # [0pt] would be an option of the line before
    assert r"\caption{A \& B}" in text and r"\label{tab:a-b-c}" in text
    assert r"\begin{tabular}{lr}" in text
    rules = [line.strip() for line in text.splitlines() if line.strip().endswith("rule")]
    assert rules == [r"\toprule", r"\midrule", r"\bottomrule"]


def test_latex_of_many_columns_lies_on_its_side():
    narrow, wide = (to_latex(["a b_c"] * n, [[1] * n], caption="", label="x") for n in (10, 11))
    assert r"\shortstack[r]{a \\ b\_c} & " in narrow  # a line for each word
    assert "{table}" in narrow and "{sidewaystable}" not in narrow
    assert wide.count("{sidewaystable}") == 2
    assert wide.count(r"max width=\linewidth") == 1


def test_csv():
    rows = [['a "b", c\nd', 1 / 3], ["e", float("nan")], ["f", None], ["g", np.float64(0.1)]]
    text = to_csv(HEADER, rows)
    assert "\r" not in text
    assert list(csv.reader(io.StringIO(text))) == [
        HEADER,
        ['a "b", c\nd', repr(1 / 3)],
        ["e", ""],
        ["f", ""],
        ["g", "0.1"],
    ]


@pytest.mark.parametrize(
    ("cells", "is_right"),
    [
        (["0.1", "<0.001", "–", "-1", "−2.5", ".04", "5 %", "1e-05", "80.48 ± 1.99"], True),
        ([1, 2.5, None], True),
        ([1, "of 5"], False),
        (["1 of 5"], False),
        ([None, None], False),
    ],
)
def test_columns_of_numbers_stand_to_the_right(cells, is_right):
    rule = to_markdown(["x"], [[cell] for cell in cells]).splitlines()[1]
    assert rule.endswith(": |") == is_right


def test_no_rows():
    assert to_markdown(HEADER, []).count("\n") == 1
    assert to_csv(HEADER, []) == "name,value\n"
    assert r"\begin{tabular}{ll}" in to_latex(HEADER, [], caption="", label="x")


def test_write_table(tmp_path):
    folder = tmp_path / "new" / "tables"
    paths = write_table(folder, "table9", HEADER, [["a", 1]], caption="Of a_b*.")
    assert [path.name for path in paths] == ["table9.md", "table9.tex", "table9.csv"]
    assert sorted(folder.iterdir()) == sorted(paths)  # and nothing unfinished
    assert paths[0].read_text().endswith("| a    | 1     |\n\nOf a_b\\*.\n")
    assert r"\label{tab:table9}" in paths[1].read_text()
    assert paths[2].read_text() == "name,value\na,1\n"


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write to .*file/in: Not a directory; choose"):
        write_table(tmp_path / "file" / "in", "t", HEADER, [], caption="")
