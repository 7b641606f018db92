"""A one-layer BERT of width 8 with random weights, and a tokenizer of a few words."""

import json
from functools import cache

import jax
import jax.numpy as jnp

from itune.models import BertClassifier, BertConfig

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def write_tokenizer(folder, words):
    """Write a tokenizer of whole words; return its folder and its vocabulary in order."""
    vocabulary = [*SPECIAL, *words]
    target = folder / "tokenizer"
    target.mkdir(parents=True, exist_ok=True)
    (target / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    config = {"do_lower_case": True, "tokenizer_class": "BertTokenizer"}
    (target / "tokenizer_config.json").write_text(json.dumps(config))
    return target, vocabulary


def make_bert(vocabulary, *, positions, num_labels=2, scale=3):
    """Return a configuration and parameters; initial weights are multiplied by ``scale``."""
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=8,
        num_layers=1,
        num_heads=2,
        intermediate_size=12,
        max_positions=positions,
        num_labels=num_labels,
    )
    return config, jax.tree.map(lambda leaf: leaf, _initial(config, scale))  # in dicts of its own


@cache
def _initial(config, scale):
    ids = jnp.zeros(3, jnp.int32)

    @jax.jit
    def init():
        params = BertClassifier(config).init(jax.random.key(0), ids, ids)["params"]
        return jax.tree.map(lambda leaf: scale * leaf, params)

    return init()
