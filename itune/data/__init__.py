"""Data: the example record, its file format, and what makes it; and tables of one's own."""

from itune.data.conll import find_conll, hub_conll, read_conll
from itune.data.example import Example
from itune.data.jsonl import read_jsonl, write_jsonl
from itune.data.msgs import MsgsConfig, generate_msgs, read_msgs
from itune.data.newswire import newswire_sentences
from itune.data.rules import Rule, parse_rule
from itune.data.table import Table, TableConfig, Tables, read_tables, require_trainable
from itune.data.textlen import TextLenConfig, build_textlen

__all__ = [
    "Example",
    "MsgsConfig",
    "Rule",
    "Table",
    "TableConfig",
    "Tables",
    "TextLenConfig",
    "build_textlen",
    "find_conll",
    "generate_msgs",
    "hub_conll",
    "newswire_sentences",
    "parse_rule",
    "read_conll",
    "read_jsonl",
    "read_msgs",
    "read_tables",
    "require_trainable",
    "write_jsonl",
]
