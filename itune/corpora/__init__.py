"""Corpora: the recipes of the paper's tasks, and the sentences that they are made of."""

from itune.corpora.example import Example, Splits
from itune.corpora.jsonl import write_jsonl
from itune.corpora.msgs import MsgsConfig
from itune.corpora.reviews import RATINGS, Review, ReviewsConfig, generate_reviews
from itune.corpora.tasks import TASKS, DataConfig, TaskExamples, load_examples
from itune.corpora.textlen import TextLenConfig

__all__ = [
    "DataConfig",
    "Example",
    "MsgsConfig",
    "RATINGS",
    "Review",
    "ReviewsConfig",
    "Splits",
    "TASKS",
    "TaskExamples",
    "TextLenConfig",
    "generate_reviews",
    "load_examples",
    "write_jsonl",
]
