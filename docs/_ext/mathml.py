"""Formulas as MathML, which browsers draw by themselves: no script, no fonts, no network."""

import re
from itertools import cycle
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def _mathml(node: nodes.Node, display: str) -> str:
    """Return a formula as MathML.

    The converter knows ``aligned`` by the name ``align*``, and does not say which bars open and
    which close, without which browsers leave space on both sides.
    """
    latex = node.astext().strip().replace("{aligned}", "{align*}")
    forms = cycle(("prefix", "postfix"))
    return re.sub(
        "<mo>(&#x0007C;)</mo>",
        lambda bar: f'<mo form="{next(forms)}" stretchy="false">{bar[1]}</mo>',
        convert(latex, display=display),
    )


def _inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(_mathml(node, "inline"))
    raise nodes.SkipNode


def _block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(f'<div class="formula">{_mathml(node, "block")}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer under the name "mathml"."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
