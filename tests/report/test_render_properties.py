"""Whatever text a page holds: HTML of the same elements, which reads back as that text."""

import functools

from hypothesis import given, settings
from hypothesis import strategies as st

from itune.report import blocks
from itune.report.render import render
from itune.report.text import Piece
from itune.utils.visible import visible
from tests.helpers.html_walk import Walk

HARMLESS = "harmless"
MARKS = st.sampled_from(["<", ">", "&", '"', "'", "</p>", "<script>", "&lt;", "-->", "{{", "\n"])
TEXT = st.lists(st.one_of(MARKS, st.text(max_size=3)), min_size=1, max_size=6).map("".join)


def make_page(text):
    """A page that has a text in every place where data can stand."""
    sentence = blocks.Sentence(((Piece(text), Piece(text, is_marked=True)),), (text, text), 0.5)
    return blocks.Page(
        title=text,
        subtitle=text,
        lead=(
            blocks.Answer(blocks.ALARM, text, (text,)),
            blocks.Tiles((blocks.Tile(text, text, text),)),
        ),
        sections=(
            blocks.Section(text, (blocks.Paragraph(text), blocks.Code(text))),
            blocks.Section(text, (blocks.Facts(((text, text),)),)),
            blocks.Section(
                text,
                (
                    blocks.Table(
                        text,
                        (text, f"x{text}", "numbers", "bars"),
                        ((text, f"x{text}", 1, blocks.Bar(0.5, text, 0.4, 0.6, text)),),
                        text,
                    ),
                    blocks.Figure("<svg></svg>", text, text),
                    blocks.Sentences(text, sentence, (blocks.SentenceList(text, (sentence,)),)),
                ),
            ),
        ),
        footer=text,
    )


@functools.cache
def harmless_elements():
    """The elements of a page whose text is a harmless word."""
    return Walk(render(make_page(HARMLESS))).elements


@settings(max_examples=30)
@given(TEXT.filter(bool))
def test_a_page_reads_back_as_its_text(text):
    def expected(harmless):
        return harmless and harmless.replace(HARMLESS, visible(text))

    elements = Walk(render(make_page(text))).elements
    for element, harmless in zip(elements, harmless_elements(), strict=True):
        assert (element.tag, element.parents) == (harmless.tag, harmless.parents)
        assert "".join(element.text) == expected("".join(harmless.text))
        assert element.attributes == {
            name: expected(value) for name, value in harmless.attributes.items()
        }
