"""Pages as HTML: one file without scripts, which opens without a network."""

import functools
from importlib.resources import files
from typing import Any

from itune.report.blocks import ALARM, CALM, OPEN, PLAIN, Bar, Page, Table
from itune.report.text import visible
from itune.utils.formats import signed
from itune.utils.table_files import are_numbers, cell_text

SIGNS = {ALARM: "▲", CALM: "○", OPEN: "?", PLAIN: "●"}
"""What stands beside an answer, to be told apart without colour."""


def render(page: Page) -> str:
    """The page as HTML; the same page has the same characters.

    Every text is made visible (:func:`itune.report.text.visible`), then escaped.
    """
    return _template().render(page=page, style=_read("page.css"))


@functools.cache
def _template():
    import jinja2

    environment = jinja2.Environment(
        autoescape=True,
        finalize=_shown,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.globals |= {
        "signs": SIGNS,
        "kind": lambda block: type(block).__name__,
        "is_bar": lambda cell: isinstance(cell, Bar),
        "kinds": _column_kinds,
        "css_percent": lambda share: f"{100 * min(max(share, 0), 1):.4g}%",
        "signed": lambda value: signed(value, 2),
    }
    return environment.from_string(_read("page.html.jinja"))


def _read(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")


def _shown(value: Any) -> Any:
    """What an expression of the template prints, before it is escaped."""
    if hasattr(value, "__html__"):  # markup of the template's own
        return value
    return visible(value) if isinstance(value, str) else cell_text(value)


def _column_kinds(table: Table) -> list[Any]:
    """A class for each column."""
    from markupsafe import Markup

    columns = range(len(table.header))
    texts = [["" if isinstance(cell, Bar) else cell for cell in row] for row in table.rows]
    is_number = are_numbers(texts, len(columns))
    is_bar = [any(isinstance(row[i], Bar) for row in table.rows) for i in columns]
    names = ["bar" if is_bar[i] else "number" if is_number[i] else "text" for i in columns]
    return [Markup(f' class="{name}-column"') for name in names]
