"""Texts of other people on one line of a terminal."""

import pytest

from itune.commands.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines\tand \x1b[1mbold", "two lines and \ufffd[1mbold"),
        ("\U0001f469\u200d\U0001f467 می\u200cخواهم", "\U0001f469\u200d\U0001f467 می\u200cخواهم"),
        ("left \u202e right", "left \ufffd right"),
        ("\ufeffmark", "\ufffdmark"),
    ],
)
def test_printable(text, shown):
    assert printable(text) == shown
