"""A tiny BERT classifier in a folder, and tables that it could have been trained on."""

import numpy as np

from itune.models import save_classifier
from itune.tables.config import TableConfig
from itune.tables.table import read_tables
from tests.helpers.table_cases import write_rows
from tests.helpers.tiny_encoder import make_bert, write_tokenizer

BRANDS = ("acme", "umbrella")
WORDS = ("good", "bad", "fine", "poor", "day", "night")
LABELS = ("no", "yes")
RULE = "words:acme || words:umbrella"
NO_SPLIT = {"dev_fraction": 0.0, "test_fraction": 0.0}


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


def make_folder(folder):
    """Write a model, ``train.csv`` of 40 rows and ``test.csv`` of 16; return the folder."""
    make_model(folder)
    write_table(folder / "train.csv", make_rows(40))
    write_table(folder / "test.csv", make_rows(16, seed=1))
    return folder


def make_tables(folder, **values):
    """Read the tables of such a folder with the rule of brands, or with other values."""
    config = {"train": str(folder / "train.csv"), "test": str(folder / "test.csv"), "rule": RULE}
    return read_tables(TableConfig(**(NO_SPLIT | config | values)))
