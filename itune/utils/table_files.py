"""Tables as text in columns, as Markdown, LaTeX and CSV.

A cell is text, a number or None. Text, Markdown and LaTeX show numbers to three digits, and None
and NaN as a dash; CSV has numbers in full, and nothing for None and NaN.
"""

import csv
import io
import math
import re
from collections.abc import Sequence
from pathlib import Path

from itune.utils.files import write_atomically
from itune.utils.formats import MISSING

Cell = str | int | float | None
Row = Sequence[Cell]

UPRIGHT = 10
"""The most columns of a LaTeX table that stands upright."""

_MARKDOWN = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?])|&(?=#?\w+;)")
_NUMBER = re.compile(r"[-+−<]?\.?\d[\d.,]*(e[-+]?\d+| ?%| ± [\d.,]+)?")
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    "`": r"\textasciigrave{}",
    "±": r"$\pm$",
    "−": "$-$",
    "×": r"$\times$",
    "→": r"$\rightarrow$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "–": r"\textendash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    **{character: f"{{{character}}}" for character in "[]*"},  # a row may begin with them
}


def to_text(header: Sequence[str], rows: Sequence[Row]) -> str:
    """Return a table as text in columns, for a terminal.

    >>> print(to_text(["method", "p"], [["finetuning", 0.0412], ["group dro", None]]))
    method      p
    finetuning  0.0412
    group dro   –
    """
    return align([header, *([cell_text(cell) for cell in row] for row in rows)])


def align(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of text in columns, two blanks apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)) for row in rows)
    return "\n".join(map(str.rstrip, lines))


def to_markdown(header: Sequence[str], rows: Sequence[Row]) -> str:
    """Return a Markdown table whose columns line up; columns of numbers stand to the right.

    >>> print(to_markdown(["method", "p"], [["a|b", 0.04], ["c", None]]))
    | method | p    |
    | ------ | ---: |
    | a\\|b   | 0.04 |
    | c      | –    |
    """
    table = [[_in_markdown(cell_text(cell)) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, (*column, "---:"))) for column in zip(*table, strict=True)]
    rule = [
        "-" * (width - is_number) + ":" * is_number
        for width, is_number in zip(widths, are_numbers(rows, len(header)), strict=True)
    ]
    lines = [table[0], rule, *table[1:]]
    padded = ([c.ljust(w) for c, w in zip(line, widths, strict=True)] for line in lines)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in padded)


def to_latex(header: Sequence[str], rows: Sequence[Row], *, caption: str, label: str) -> str:
    """Return a LaTeX table in the style of booktabs; a wide one lies on its side, or is shrunk."""
    columns = "".join("lr"[is_number] for is_number in are_numbers(rows, len(header)))
    heads = map(_latex_head, header, columns)
    lines = [" & ".join(_in_latex(cell_text(cell)) for cell in row) + r" \\" for row in rows]
    table = "sidewaystable" if len(header) > UPRIGHT else "table"
    return "\n".join(
        [
            "% needs \\usepackage{adjustbox,booktabs,rotating}",
            f"\\begin{{{table}}}",
            r"  \centering\small",
            f"  \\caption{{{_in_latex(caption)}}}",
            f"  \\label{{{re.sub('[^A-Za-z0-9:.]+', '-', label)}}}",
            r"  \begin{adjustbox}{max width=\linewidth}",
            f"  \\begin{{tabular}}{{{columns}}}",
            r"    \toprule",
            f"    {' & '.join(heads)} \\\\",
            r"    \midrule",
            *(f"    {line}" for line in lines),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"  \end{adjustbox}",
            f"\\end{{{table}}}",
        ]
    )


def to_csv(header: Sequence[str], rows: Sequence[Row]) -> str:
    r"""Return comma-separated values with a line of heads; lines end in ``\n``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([None if _is_missing(cell) else cell for cell in row] for row in rows)
    return text.getvalue()


def write_table(
    folder: Path, name: str, header: Sequence[str], rows: Sequence[Row], *, caption: str
) -> list[Path]:
    """Write ``name.md``, ``name.tex`` and ``name.csv``; each appears whole or not at all.

    Args:
      folder: Folder to write to; made if absent.
      name: Name of the files, and of the LaTeX label ``tab:name``.
      header: Heads of the columns.
      rows: Cells of each row.
      caption: Caption of the table, which stands below it in Markdown.

    Returns:
      The three paths.

    Raises:
      UserError: The folder cannot be written.
    """
    texts = {
        ".md": f"{to_markdown(header, rows)}\n\n{_in_markdown(caption)}\n",
        ".tex": to_latex(header, rows, caption=caption, label=f"tab:{name}") + "\n",
        ".csv": to_csv(header, rows),
    }
    paths = [folder / f"{name}{suffix}" for suffix in texts]
    with write_atomically(*paths, hint="choose another folder") as unfinished:
        folder.mkdir(parents=True, exist_ok=True)
        for temporary, text in zip(unfinished, texts.values(), strict=True):
            temporary.write_text(text, encoding="utf-8")
    return paths


def cell_text(cell: Cell) -> str:
    """Return a cell as a person reads it, on one line.

    >>> [cell_text(cell) for cell in (0.12345, 1e-5, 1234.5, 7, None, "two\\nlines")]
    ['0.123', '1e-05', '1234', '7', '–', 'two lines']
    """
    if _is_missing(cell):
        return MISSING
    if isinstance(cell, float):
        is_small, is_large = 0 < abs(cell) < 1e-3, abs(cell) >= 1000
        return f"{cell:.0e}" if is_small else f"{cell:.0f}" if is_large else f"{cell:.3g}"
    return " ".join(str(cell).split())


def _is_missing(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def are_numbers(rows: Sequence[Row], columns: int) -> list[bool]:
    """Return whether each column has numbers, or what looks like them, and nothing else."""
    texts = [[cell_text(cell) for cell in row] for row in rows]
    return [
        any(row[i] != MISSING for row in texts)
        and all(row[i] == MISSING or _NUMBER.fullmatch(row[i]) for row in texts)
        for i in range(columns)
    ]


def _in_markdown(text: str) -> str:
    return _MARKDOWN.sub(lambda found: f"\\{found[0]}", text)


def _latex_head(text: str, side: str) -> str:
    """A head with a line for each word."""
    lines = r" \\ ".join(map(_in_latex, text.split()))
    return rf"\shortstack[{side}]{{{lines}}}"


def _in_latex(text: str) -> str:
    escaped = "".join(_LATEX.get(character, character) for character in text)
    return escaped.replace("--", "-{}-")  # no ligature
