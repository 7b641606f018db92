"""Pages as HTML: one file without scripts, which opens without a network."""

import functools
import re
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from itune.report.blocks import ALARM, CALM, OPEN, PLAIN, Bar, Page, Table
from itune.utils.formats import signed
from itune.utils.table_files import are_numbers, cell_text
from itune.utils.visible import visible

SIGNS = {ALARM: "▲", CALM: "○", OPEN: "?", PLAIN: "●"}
"""What stands beside an answer, to be told apart without colour."""

IN_NOTEBOOK = 2
"""Sections of a page that a notebook shows after its lead."""


def render(page: Page) -> str:
    """Return a page as HTML; equal pages give equal text.

    Every text is made visible (:func:`itune.utils.visible.visible`), then escaped.
    """
    return _environment().get_template("page.html.jinja").render(page=page, style=_read("page.css"))


def render_fragment(page: Page) -> str:
    """Return the lead and the first sections of a page as HTML for a notebook's cell.

    Its style applies to nothing else in the notebook.
    """
    style = re.sub(r"(?m)^( *)(:root|body) {", r"\1& {", _read("page.css"))
    short = page._replace(sections=page.sections[:IN_NOTEBOOK])
    template = _environment().get_template("fragment.html.jinja")
    return template.render(page=short, style=f".itune {{\n{style}\n}}")


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_read),
        autoescape=True,
        finalize=_shown,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    helpers: dict[str, Any] = {
        "signs": SIGNS,
        "kind": lambda block: type(block).__name__,
        "is_bar": lambda cell: isinstance(cell, Bar),
        "kinds": _column_kinds,
        "places": _row_places,
        "css_percent": lambda share: f"{100 * min(max(share, 0), 1):.4g}%",
        "signed": lambda value: signed(value, 2),
    }
    environment.globals.update(helpers)
    return environment


def _read(name: str) -> str:
    return (files("itune.report") / "templates" / name).read_text(encoding="utf-8")


def _shown(value: Any) -> Any:
    """What an expression of the template prints, before it is escaped."""
    if hasattr(value, "__html__"):  # markup of the template's own
        return value
    return visible(value) if isinstance(value, str) else cell_text(value)


def _column_kinds(table: Table) -> list[Markup]:
    """A class for each column."""
    columns = range(len(table.header))
    texts = [["" if isinstance(cell, Bar) else cell for cell in row] for row in table.rows]
    is_number = are_numbers(texts, len(columns))
    is_bar = [any(isinstance(row[i], Bar) for row in table.rows) for i in columns]
    names = ["bar" if is_bar[i] else "number" if is_number[i] else "text" for i in columns]
    return [Markup(f' class="{name}-column"') for name in names]


def _row_places(table: Table) -> list[Markup]:
    """A style for each row of a sortable table: its place if rows are ordered by each column."""
    if not table.is_sortable:
        return [Markup() for _ in table.rows]
    columns = []
    for cells in zip(*table.rows, strict=True):
        keys = [_sort_key(cell) for cell in cells]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        columns.append({row: place for place, row in enumerate(order)})
    styles = (
        "; ".join(f"--by-{number}: {of[row]}" for number, of in enumerate(columns))
        for row in range(len(table.rows))
    )
    return [Markup(f' style="{style}"') for style in styles]


def _sort_key(cell: Any) -> tuple[int, float, str]:
    """Numbers come first, the largest before others, then texts by the alphabet."""
    text = cell.text if isinstance(cell, Bar) else cell_text(cell)
    number = re.match(r"[-+]?\d[\d,]*\.?\d*", text)
    return (1, 0.0, text) if number is None else (0, -float(number[0].replace(",", "")), text)
