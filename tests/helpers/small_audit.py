"""A tiny BERT classifier in a folder, and a table that it could have been trained on."""

import csv
import json

import jax
import jax.numpy as jnp
import numpy as np

from itune.models import BertClassifier, BertConfig, save_classifier

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
BRANDS = ("acme", "umbrella")
WORDS = ("good", "bad", "fine", "poor", "day", "night")
LABELS = ("no", "yes")


def make_rows(size, seed=0):
    """Texts that begin with a brand; the label is any."""
    rng = np.random.default_rng(seed)
    for number in range(size):
        brand = BRANDS[number % 4 // 2]
        words = " ".join(rng.choice(WORDS, 2))
        yield {"text": f"{brand} {words}", "label": LABELS[number % 2], "brand": brand}


def write_table(path, rows):
    rows = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def make_model(folder, labels=LABELS, positions=8):
    """Writes a classifier that was not trained; its two brands are opposites."""
    vocabulary = [*SPECIAL, *BRANDS, *WORDS]
    source = folder / "tokenizer"
    source.mkdir(parents=True)
    (source / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    about = {"do_lower_case": True, "tokenizer_class": "BertTokenizer"}
    (source / "tokenizer_config.json").write_text(json.dumps(about))
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=8,
        num_layers=1,
        num_heads=2,
        intermediate_size=12,
        max_positions=positions,
        num_labels=len(labels),
    )
    ids = jnp.zeros(3, jnp.int32)
    params = jax.jit(BertClassifier(config).init)(jax.random.key(0), ids, ids)["params"]
    params = jax.tree.map(lambda p: 10 * p, params)
    words = params["embeddings"]["word"]["embedding"]
    first, second = map(vocabulary.index, BRANDS)
    params["embeddings"]["word"]["embedding"] = words.at[second].set(-words[first])
    save_classifier(folder / "model", config, params, source, labels=labels)
    return folder / "model"
