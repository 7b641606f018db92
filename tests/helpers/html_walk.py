"""HTML parsed into its elements, with a check that each of them is closed."""

from html.parser import HTMLParser
from typing import NamedTuple

VOID = {"meta", "br", "img", "link", "input", "hr", "wbr"}


class Element(NamedTuple):
    """An element: its tag and attributes, the tags around it, and the pieces of its text."""

    tag: str
    attributes: dict
    parents: tuple
    text: list


class Walk(HTMLParser):
    """The elements and declarations of a page in order.

    It fails if an element is not closed, or closed twice, or has an attribute twice.
    """

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self._open = [], []
        self.declarations = []
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_decl(self, decl):
        self.declarations.append(decl)

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"{tag}: an attribute twice"
        parents = tuple(element.tag for element in self._open)
        element = Element(tag, dict(attrs), parents, [])
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self._open and self._open[-1].tag == tag, f"</{tag}> closes {self._open[-1:]}"
        self._open.pop()

    def handle_data(self, data):
        for element in self._open:
            element.text.append(data)

    def all(self, tag, **attributes):
        """Return the elements of a tag that have these attributes (``class_`` for class)."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}.items()
        return [e for e in self.elements if e.tag == tag and wanted <= e.attributes.items()]

    def text(self, tag, **attributes):
        """Return the text of each element of a tag that has these attributes."""
        return ["".join(element.text) for element in self.all(tag, **attributes)]
