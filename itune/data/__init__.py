"""Data: the example record, its file format, and the sources and recipes that make it."""

from itune.data.conll import find_conll, hub_conll, read_conll
from itune.data.example import Example
from itune.data.jsonl import read_jsonl, write_jsonl
from itune.data.newswire import newswire_sentences
from itune.data.textlen import TextLenConfig, build_textlen

__all__ = [
    "Example",
    "TextLenConfig",
    "build_textlen",
    "find_conll",
    "hub_conll",
    "newswire_sentences",
    "read_conll",
    "read_jsonl",
    "write_jsonl",
]
