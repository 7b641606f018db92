"""Rules, on random texts, against the plainest matcher that does the same."""

import operator
import re
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from itune.tables.rules import parse_rule, prefix, words

LETTERS = "abAB_ é\t\n+1"
TEXTS = st.text(LETTERS, max_size=14)
COMPARISONS = {"<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge}


def find_words(listed, text):
    """The spans of the leftmost, longest whole words in any case, by trying every span."""
    wanted, spans, start = {" ".join(word.split()).lower() for word in listed}, [], 0

    def is_found(first, last):
        found = text[first:last]
        before, after = text[first - 1 : first], text[last : last + 1]
        is_whole = not (before.isalnum() or before == "_" or after.isalnum() or after == "_")
        is_trimmed = found == found.strip()
        return is_whole and is_trimmed and " ".join(found.split()).lower() in wanted

    while start < len(text):
        ends = [last for last in range(start + 1, len(text) + 1) if is_found(start, last)]
        if ends:
            spans.append((start, max(ends)))
        start = max(ends, default=start + 1)
    return spans


@st.composite
def patterns(draw):
    """The text of one pattern, and the function that tells whether it matches a text."""
    kind = draw(st.sampled_from(["words", "prefix", "length", "regex"]))
    if kind == "regex":
        expression = draw(st.sampled_from(["a*", "b|A", "(?i)ab", r"\d+|", r"\bA\b"]))
        return f"regex:{expression}", lambda text: re.search(expression, text) is not None
    if kind == "length":
        sign, bound = draw(st.sampled_from(sorted(COMPARISONS))), draw(st.integers(0, 4))
        return f"length:{sign}{bound}", lambda text: COMPARISONS[sign](len(text.split()), bound)
    if kind == "prefix":
        start = draw(st.text("abA+=: ", min_size=1, max_size=3).filter(lambda s: s == s.rstrip()))
        return f"prefix:{start}", lambda text: nfc(text).startswith(start)
    word = st.text("abA+ 1", min_size=1, max_size=3).filter(str.strip)
    listed = draw(st.lists(word, min_size=1, max_size=4))
    return f"words:{','.join(listed)}", lambda text: bool(find_words(listed, text))


@given(st.lists(st.text("abA_ é+1", max_size=4).filter(str.strip), min_size=1, max_size=6), TEXTS)
def test_words_are_found_where_a_naive_search_finds_them(listed, text):
    assert words(listed).spans(text) == find_words(listed, text)


ACCENTED = st.text("aeE ́̂̇éëêệḕ가각ᆨ", max_size=8)
"""Letters with accents that are a part of them, or characters of their own."""


def nfc(text):
    return unicodedata.normalize("NFC", text)


@given(st.text(min_size=1, max_size=3), st.text(max_size=6))
def test_a_prefix_is_the_beginning_of_a_text(start, rest):
    pattern = prefix(start)
    if nfc(start + rest) == start + rest:
        assert pattern.spans(start + rest) == [(0, len(start))]
    assert pattern.matches(rest) == nfc(rest).startswith(nfc(start))


@given(ACCENTED, ACCENTED, st.sampled_from(["NFC", "NFD"]))
def test_accents_may_be_written_either_way(word, text, form):
    """Values are equal, and spans of the one form of the text are those of the other."""
    if not word.strip():
        return
    pattern, other = words([word]), words([unicodedata.normalize(form, word)])
    decomposed = unicodedata.normalize("NFD", text)
    assert pattern.matches(text) == other.matches(decomposed) == pattern.matches(nfc(text))
    found, same = (
        [t[a:b] for a, b in p.spans(t)] for p, t in ((pattern, text), (other, decomposed))
    )
    assert [*map(nfc, found)] == [*map(nfc, same)]
    assert all(
        nfc(of).lower() == " ".join(nfc(word).split()).lower() for of in found if " " not in of
    )


@given(st.text("很好看吃", min_size=1, max_size=2), st.text("很好看吃aA ", max_size=8))
def test_without_blanks_a_word_is_found_wherever_it_stands(word, text):
    assert words([word]).matches(text) == (word in text)


@given(st.lists(patterns(), min_size=1, max_size=3), st.lists(TEXTS, max_size=5), st.booleans())
def test_the_first_pattern_that_matches_counts(listed, texts, is_spaced):
    names = [f"name {number}" for number in range(len(listed))]
    bar, equals = ("  ||\n", " =") if is_spaced else (" || ", "=")
    rule = parse_rule(bar.join(f"{n}{equals}{p}" for n, (p, _) in zip(names, listed, strict=True)))
    assert rule.names == (("no", "yes") if len(listed) == 1 else ("none", *names))
    naive = [
        next((number for number, (_, matches) in enumerate(listed, 1) if matches(text)), 0)
        for text in texts
    ]
    assert rule.values(texts).tolist() == naive


@given(st.lists(patterns(), min_size=1, max_size=3), TEXTS)
def test_spans_lie_in_the_text_in_order_and_apart(listed, text):
    rule = parse_rule(" || ".join(f"n{i}={pattern}" for i, (pattern, _) in enumerate(listed)))
    spans = rule.spans(text)
    ends = [0, *(end for _, end in spans)]
    assert all(first <= start for first, (start, _) in zip(ends, spans, strict=False))
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert not spans or rule.value(text)


@given(st.lists(st.sampled_from(["straße", "fine", "İzmir", "ǆ", "maß"]), min_size=1, max_size=2))
@example(["straße"])
def test_a_place_is_shown_where_the_rule_counts_it(listed):
    """Also where capitals have another length, or a ligature stands for two letters."""
    rule = parse_rule(f"words:{','.join(listed)}")
    for text in ("STRASSE hier", "straße", "ﬁne", "eine Maß", "MASS", "Ǆ", "nothing", "i̇zmir"):
        assert (rule.value(text) > 0) == bool(rule.spans(text)), text
