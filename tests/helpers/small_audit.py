"""A tiny BERT classifier in a folder, and a table that it could have been trained on."""

import numpy as np

from itune.models import save_classifier
from tests.helpers.table_cases import write_rows
from tests.helpers.tiny_encoder import make_bert, write_tokenizer

BRANDS = ("acme", "umbrella")
WORDS = ("good", "bad", "fine", "poor", "day", "night")
LABELS = ("no", "yes")


def make_rows(size, seed=0):
    """Yield rows whose text begins with a brand; the label is independent of both."""
    rng = np.random.default_rng(seed)
    for number in range(size):
        brand = BRANDS[number % 4 // 2]
        words = " ".join(rng.choice(WORDS, 2))
        yield {"text": f"{brand} {words}", "label": LABELS[number % 2], "brand": brand}


def write_table(path, rows):
    """Write rows to a file in the format of its name; return its path as a string."""
    return str(write_rows(path, list(rows)))


def make_model(folder, labels=LABELS, positions=8):
    """Write an untrained classifier whose two brands are opposites; return its folder."""
    source, vocabulary = write_tokenizer(folder, [*BRANDS, *WORDS])
    config, params = make_bert(vocabulary, positions=positions, num_labels=len(labels), scale=10)
    words = params["embeddings"]["word"]["embedding"]
    first, second = map(vocabulary.index, BRANDS)
    params["embeddings"]["word"]["embedding"] = words.at[second].set(-words[first])
    save_classifier(folder / "model", config, params, source, labels=labels)
    return folder / "model"
