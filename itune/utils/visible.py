"""Text of unknown origin made visible: nothing hides, and nothing reorders what is around it."""

import re
import unicodedata

ELLIPSIS = "…"

_UNSEEN = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\ufdd0-\ufdef\ufffe\uffff]"
)
_ISOLATE, _END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


def visible(text: str) -> str:
    r"""Return a text with the number of each character that hides or reorders others in its place.

    That is: control characters, Unicode's bidirectional embeddings and overrides, halves of
    surrogate pairs, and what is no character. White space and right-to-left letters stay.

    >>> visible("a\x1b[1m\u202eb\ud800")
    'a‹U+001B›[1m‹U+202E›b‹U+D800›'
    """
    return _UNSEEN.sub(lambda found: f"‹U+{ord(found[0]):04X}›", text)


def isolated(name: str) -> str:
    """Return a name for use within a sentence, in which it reorders no other letters."""
    is_turning = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in name)
    return f"{_ISOLATE}{name}{_END}" if is_turning else name


def escaped(json: str) -> str:
    r"""Return JSON in which what :func:`visible` shows by its number is an escape of that number.

    >>> print(escaped('{"name": "a\u202eb"}'))
    {"name": "a\u202eb"}
    """
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json)


def one_line(text: str) -> str:
    r"""Return a text on one line, visible, with one blank where it has other white space.

    >>> one_line("a\n b\x1b")
    'a b‹U+001B›'
    """
    parts = re.split(r"[^\S ]", visible(text))
    return " ".join(filter(None, (part.strip() for part in parts)))


def short(name: str, width: int = 36) -> str:
    """Return a name as a figure shows it: on one line, visible, and shortened where it is long.

    >>> short("a very long name indeed", 12)
    'a very long…'
    """
    line = " ".join(visible(name).split())
    return line if len(line) <= width else f"{line[: width - 1].rstrip()}{ELLIPSIS}"
