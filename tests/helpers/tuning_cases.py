"""A small table of reviews, an encoder that knows its words, and settings that take seconds."""

import csv
import json

import jax
import jax.numpy as jnp

from itune.models import BertClassifier, BertConfig, save_classifier
from itune.tables.table import TableConfig, read_tables

BRANDS, LABELS = ("Acme", "Umbrella"), ("bad", "good")
WORDS = {"bad": ["poor", "awful"], "good": ["fine", "great"]}
COLUMNS = {"text": "review", "label": "stars", "confound": "brand"}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

SETTINGS = {
    "label.epochs": 2,
    "label.batch": 8,
    "label.chunk": 4,
    "label.learning_rate": 1e-2,
    "influence.interval": 3,
    "influence.batch": 8,
    "influence.probes": 8,
    "influence.epochs": 1,
    "cid_probes": 6,
    "max_length": 8,
}


def make_rows(count=64, *, lone=False):
    """Different reviews in which the brand agrees with the stars three times of four."""
    rows = []
    for number in range(count):
        label = LABELS[number % 2]
        brand = BRANDS[(number % 2) ^ (number // 2 % 4 == 0)]
        word = WORDS[label][number // 4 % 2]
        rows.append({"review": f"{brand} is {word} {number}", "stars": label, "brand": brand})
    for number in (9, 20):
        rows[number]["brand"] = ""
    return rows + lone * [{"review": "Zenith is fine", "stars": "good", "brand": "Zenith"}]


def write_rows(path, rows):
    """Writes a CSV file; returns its path."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def make_tables(folder, rows=None, **more):
    """The tables of some rows, by way of a file."""
    path = write_rows(folder / "reviews.csv", rows or make_rows())
    return read_tables(TableConfig(str(path), **(COLUMNS | more)))


def make_encoder(folder, *, labels=None):
    """Writes a one-layer BERT with its own vocabulary, with a head if labels are named."""
    words = {"is", "zenith", *map(str.lower, BRANDS), *sum(WORDS.values(), [])}
    vocabulary = [*SPECIAL, *sorted(words)]
    source = folder / "tokenizer"
    source.mkdir(parents=True, exist_ok=True)
    (source / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    (source / "tokenizer_config.json").write_text(
        json.dumps({"do_lower_case": True, "tokenizer_class": "BertTokenizer"})
    )
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=8,
        num_layers=1,
        num_heads=2,
        intermediate_size=12,
        max_positions=16,
        num_labels=len(labels or LABELS),
    )
    ids = jnp.zeros(3, jnp.int32)
    params = jax.jit(BertClassifier(config).init)(jax.random.key(0), ids, ids)["params"]
    params = jax.tree.map(lambda leaf: 3 * leaf, params)
    target = folder / ("encoder" if labels is None else "finetuned")
    save_classifier(target, config, params, source, labels=labels)
    if labels is None:
        _without_head(target)
    return target


def _without_head(folder):
    from safetensors.numpy import load_file, save_file

    path = folder / "model.safetensors"
    tensors = {k: v for k, v in load_file(path).items() if not k.startswith("classifier.")}
    save_file(tensors, path)
