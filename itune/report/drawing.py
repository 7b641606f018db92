"""Figures as SVG that stands within a page, in the colours of the page."""

import hashlib
import io
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any
from xml.etree import ElementTree

INK, SOFT, LINE = "#000000", "#767676", "#cccccc"
FIRST, SECOND = "#c44e52", "#2f6db5"
COLOURS = {
    INK: "currentColor",
    SOFT: "var(--soft)",
    LINE: "var(--line)",
    FIRST: "var(--first)",
    SECOND: "var(--second)",
}
"""What stands in a drawing for colours that the page chooses, light or dark."""

WIDTH = 4.2
"""Inches of every figure; letters of 9 points are legible where it is as wide as a phone."""

_STYLE = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "itune",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.8,
}


def draw(
    fill: Callable[[Sequence[Any]], None],
    *,
    rows: int = 1,
    columns: int = 1,
    height: float,
    **share: Any,
) -> str:
    """Draws a figure; the same figure has the same characters.

    Args:
      fill: draws into the axes, in reading order; of :data:`COLOURS`, and no text as mathematics.
      rows: of panels.
      columns: of panels.
      height: of a row, in inches.
      **share: ``sharex`` and ``sharey`` of ``pyplot.subplots``.

    Returns:
      An ``svg`` element without a name space, scripts, style sheets or references out of itself.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    written = io.BytesIO()
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        # Letters that matplotlib's font lacks are the browser's to draw.
        warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from font", UserWarning)
        figure, axes = pyplot.subplots(
            rows,
            columns,
            figsize=(WIDTH, rows * height),
            layout="constrained",
            squeeze=False,
            **share,
        )
        try:
            fill(list(axes.flat))
            figure.savefig(written, format="svg", metadata={"Date": None}, transparent=True)
        finally:
            pyplot.close(figure)
    return _inline(written.getvalue())


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


def _attributes(element, referred, prefix):
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
