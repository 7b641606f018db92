"""Data: the example record, its file format, and the sources and recipes that make it."""

from itune.data.conll import find_conll, hub_conll, read_conll
from itune.data.example import Example
from itune.data.jsonl import read_jsonl, write_jsonl
from itune.data.msgs import MsgsConfig, generate_msgs, read_msgs
from itune.data.newswire import newswire_sentences
from itune.data.textlen import TextLenConfig, build_textlen

__all__ = [
    "Example",
    "MsgsConfig",
    "TextLenConfig",
    "build_textlen",
    "find_conll",
    "generate_msgs",
    "hub_conll",
    "newswire_sentences",
    "read_conll",
    "read_jsonl",
    "read_msgs",
    "write_jsonl",
]
