"""Casing, punctuation, digits, markup and script."""

import re
from collections.abc import Iterator

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
                yield of_rule("characters", name, rule, column, pattern=deleted), having
