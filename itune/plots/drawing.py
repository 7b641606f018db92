"""A plot: drawn once into given axes, for image files and for the pages of reports."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from itune.utils.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, LINE = "#000000", "#767676", "#cccccc"
FIRST, SECOND = "#c44e52", "#2f6db5"

COLOURS = {
    INK: "currentColor",
    SOFT: "var(--soft)",
    LINE: "var(--line)",
    FIRST: "var(--first)",
    SECOND: "var(--second)",
}
"""Colours of a plot, and what stands for each within a page, which may be light or dark."""

STYLES = (
    (FIRST, "o", "-"),
    (SECOND, "s", "-"),
    ("#4c9a5b", "^", "--"),
    ("#8b6db3", "D", ":"),
)
"""Colour, marker and line of each series in turn, to be told apart without colour too."""

WIDTH = 4.2
"""Inches of a plot on a page; letters of 9 points are legible where it is as wide as a phone."""

_STYLE = {
    "svg.hashsalt": "itune",
    "text.parse_math": False,
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.8,
}


@dataclass(frozen=True)
class Plot:
    """A plot, which draws the same into any axes that it is given.

    Attributes:
      fill: Draws into the axes of the panels, in reading order.
      height: Height in inches.
      alt: What the plot shows, in words and numbers.
      caption: How to read the plot.
      rows: Number of rows of panels.
      columns: Number of columns of panels.
      width: Width in inches.
      share: Arguments ``sharex`` and ``sharey`` of ``matplotlib.pyplot.subplots``.
    """

    fill: Callable[[Sequence[Axes]], None]
    height: float
    alt: str = ""
    caption: str = ""
    rows: int = 1
    columns: int = 1
    width: float = WIDTH
    share: Mapping[str, Any] = field(default_factory=dict)

    def save(self, *paths: Path) -> None:
        """Write the plot to files; what is drawn anew has the same bytes.

        Args:
          *paths: Files, PNG, SVG or PDF by their suffixes; folders are made if absent.

        Raises:
          UserError: A file cannot be written.
        """
        with self._drawn({}) as figure:
            for path in map(Path, paths):
                with write_atomically(path, hint="choose another folder") as (temporary,):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    kind = path.suffix.removeprefix(".")
                    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
                    figure.savefig(temporary, format=kind, dpi=200, metadata=undated)

    def to_svg(self) -> str:
        """Return the plot as an ``svg`` element that stands within a page, in the page's colours.

        The element has no name space, scripts, style sheets or references out of itself; its text
        stays text. The same plot has the same characters.
        """
        written = io.BytesIO()
        with self._drawn({"svg.fonttype": "none"}) as figure:
            figure.savefig(written, format="svg", metadata={"Date": None}, transparent=True)
        return _inline(written.getvalue())

    @contextmanager
    def _drawn(self, style: Mapping[str, Any]) -> Iterator[Figure]:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        with matplotlib.rc_context({**_STYLE, **style}), warnings.catch_warnings():
            # Letters that matplotlib's font lacks are the browser's to draw.
            warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from font", UserWarning)
            figure, axes = pyplot.subplots(
                self.rows,
                self.columns,
                figsize=(self.width, self.height),
                layout="constrained",
                squeeze=False,
                **self.share,
            )
            try:
                self.fill(list(axes.flat))
                yield figure
            finally:
                pyplot.close(figure)


def _inline(document: bytes) -> str:
    root = ElementTree.fromstring(document)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.rpartition("}")[2] in ("metadata", "style"):
                parent.remove(child)
    prefix = hashlib.sha256(document).hexdigest()[:8]
    text = " ".join(value for element in root.iter() for value in element.attrib.values())
    referred = set(re.findall(r"#([\w.-]+)\b", text))
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.text, element.tail = (
            part if part and part.strip() else None for part in (element.text, element.tail)
        )
        element.attrib = dict(_attributes(element, referred, prefix))
    return ElementTree.tostring(root, encoding="unicode")


def _attributes(
    element: ElementTree.Element, referred: set[str], prefix: str
) -> Iterator[tuple[str, str]]:
    for name, value in element.attrib.items():
        name = name.rpartition("}")[2]
        if name in ("width", "height", "version") and element.tag == "svg":
            continue
        if name == "id":
            if value in referred:
                yield name, f"{prefix}-{value}"
            continue
        value = re.sub(r"(url\(#|^#)", rf"\g<1>{prefix}-", " ".join(value.split()))
        value = re.sub(r"font-family: [^;]+;? ?", "", value)
        yield name, re.sub("#[0-9a-f]{6}", lambda found: COLOURS.get(found[0], found[0]), value)
