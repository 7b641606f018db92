"""Corpora: the recipes of the paper's tasks, and the sentences that they are made of."""

from itune.corpora.conll import find_conll, hub_conll, read_conll
from itune.corpora.example import Example, Splits
from itune.corpora.jsonl import read_jsonl, write_jsonl
from itune.corpora.msgs import MsgsConfig, generate_msgs, read_msgs
from itune.corpora.newswire import newswire_sentences
from itune.corpora.reviews import RATINGS, Review, ReviewsConfig, generate_reviews
from itune.corpora.tasks import TASKS, DataConfig
from itune.corpora.textlen import TextLenConfig, build_textlen

__all__ = [
    "DataConfig",
    "Example",
    "MsgsConfig",
    "RATINGS",
    "Review",
    "ReviewsConfig",
    "Splits",
    "TASKS",
    "TextLenConfig",
    "build_textlen",
    "find_conll",
    "generate_msgs",
    "generate_reviews",
    "hub_conll",
    "newswire_sentences",
    "read_conll",
    "read_jsonl",
    "read_msgs",
    "write_jsonl",
]
