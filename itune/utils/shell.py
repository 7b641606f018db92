"""Words as a shell takes them."""

import shlex
from collections.abc import Iterable


def quote(word: str) -> str:
    r"""Return a word as a shell takes it: on one line, and with nothing that is not seen.

    >>> print(quote("--rule"), quote("a b"), quote("a\tb"))
    --rule 'a b' $'a\x09b'
    """
    if word.isprintable():
        return shlex.quote(word)
    return f"$'{''.join(map(_escaped, word))}'"


def join(words: Iterable[str]) -> str:
    """Return a command of some words as a shell takes it."""
    return " ".join(map(quote, words))


def _escaped(letter: str) -> str:
    if letter.isprintable():
        return f"\\{letter}" if letter in "\\'" else letter
    return "".join(f"\\x{byte:02x}" for byte in letter.encode("utf-8", "surrogateescape"))
