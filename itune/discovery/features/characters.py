"""Casing, punctuation, digits, markup and script."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from itune.discovery.features.base import Found, Rows, is_common, of_rule
from itune.tables.rules import normal

PATTERNS = {
    "digit": r"\d",
    "number of 4 or more digits": r"\d{4,}",
    "exclamation mark": r"!",
    "question mark": r"\?",
    "repeated ! or ?": r"[!?]{2,}",
    "ellipsis": r"\.\.|…",
    "comma": r",",
    "colon": r":",
    "semicolon": r";",
    "hyphen or dash": r"[-–—]",
    "bracket": r"[()\[\]]",
    "quotation mark": r"[\"“”„«»]",
    "apostrophe": r"['’]",
    "slash": r"/",
    "currency sign or %": r"[$€£¥%]",
    "@name": r"@\w",
    "#tag": r"#\w",
    "link": r"https?://|www\.",
    "HTML": r"<[A-Za-z/!][^<>]*>|&(?:[A-Za-z]+|#\d+);",
    "emoji": r"[\u2600-\u27BF\U0001F300-\U0001FAFF]",
    "emoticon": r"[:;=8][-o*']?[)(\]\[dDpP/\\|]|<3",
    "line break": r"\n",
    "two blanks in a row": r"  ",
    "blank at the end": r"\s\Z",
    "no full stop, ! or ? at the end": r"[^.!?…\s\"'”’)][\"'”’)\s]*\Z",
    "word in capitals": r"\b[A-Z]{2,}\b",
    "no capital letter": r"\A[^A-Z]*[a-z][^A-Z]*\Z",
    "small letter at the beginning": r"\A[^A-Za-z]*[a-z]",
    "letter three times in a row": r"([A-Za-z])\1\1",
    "accent or other letter beyond A to Z": r"[À-ÖØ-öø-ɏ]",
    "Greek": r"[\u0370-\u03FF]",
    "Cyrillic": r"[\u0400-\u052F]",
    "Hebrew": r"[\u0590-\u05FF]",
    "Arabic": r"[\u0600-\u06FF]",
    "Devanagari": r"[\u0900-\u097F]",
    "Thai": r"[\u0E00-\u0E7F]",
    "Chinese or Japanese": r"[\u3040-\u30FF\u4E00-\u9FFF]",
    "Korean": r"[\uAC00-\uD7AF]",
}
"""Regular expressions in Python's syntax, by what they find."""


def _with(pattern: str, put: str | Callable[[re.Match[str]], str]) -> Callable[[str], str]:
    return partial(re.compile(pattern).sub, put)


def _plain(letter: re.Match[str]) -> str:
    return unicodedata.normalize("NFD", letter[0])[0]


_INITIAL = _with(r"\A[^A-Za-z]*[a-z]", lambda found: found[0].upper())

COUNTERPARTS = {
    "exclamation mark": ("full stop", _with(r"!", ".")),
    "question mark": ("full stop", _with(r"\?", ".")),
    "repeated ! or ?": ("one of them", _with(r"([!?])[!?]+", r"\1")),
    "ellipsis": ("full stop", _with(r"\.{2,}|…", ".")),
    "semicolon": ("comma", _with(r";", ",")),
    "word in capitals": ("small letters", _with(r"\b[A-Z]{2,}\b", lambda found: found[0].lower())),
    "no capital letter": ("capital letter at the beginning", _INITIAL),
    "small letter at the beginning": ("capital letter", _INITIAL),
    "letter three times in a row": ("one letter", _with(r"([A-Za-z])\1\1+", r"\1")),
    "accent or other letter beyond A to Z": ("plain letters", _with(r"[À-ÖØ-öø-ɏ]", _plain)),
}
"""Names of what some are swapped for, and functions of a text that do so."""

WHOLE = r"\A"
"""Beginning of those that say something of the whole text, of which nothing can be deleted."""


def find(rows: Rows, minimum: int) -> Iterator[Found]:
    """Yield those of :data:`PATTERNS` that enough rows have."""
    for column, texts in rows.texts.items():
        for name, pattern in PATTERNS.items():
            compiled = re.compile(pattern)
            having = np.flatnonzero([compiled.search(normal(text)) is not None for text in texts])
            if is_common(len(having), rows.size, minimum):
                deleted = None if pattern.startswith(WHOLE) else pattern
                rule = f"regex:{pattern}"
                feature = of_rule("characters", name, rule, column, pattern=deleted)
                counterpart, swap = COUNTERPARTS.get(name, ("", None))
                yield feature._replace(counterpart=counterpart, swap=swap), having
