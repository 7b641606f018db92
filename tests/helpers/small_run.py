"""A run small enough for tests: a random one-layer BERT on a few generated sentences."""

import json

import jax
import jax.numpy as jnp

from itune.corpora import TextLenConfig, newswire_sentences
from itune.corpora.tasks import DataConfig
from itune.methods import InfluenceConfig, LabelConfig
from itune.models import BertClassifier, BertConfig, save_classifier
from itune.training.settings import RunConfig

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def make_encoder(folder):
    """Writes a BERT with its own vocabulary."""
    words = {w.lower() for s in newswire_sentences(40, 0) for w in s} | {"positive", "negative"}
    vocabulary = [*SPECIAL, *sorted(words)]
    source = folder / "tokenizer"
    source.mkdir(parents=True)
    (source / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    (source / "tokenizer_config.json").write_text(
        json.dumps({"do_lower_case": True, "tokenizer_class": "BertTokenizer"})
    )
    (source / "config.json").write_text(
        json.dumps({"model_type": "bert", "vocab_size": len(vocabulary)})
    )
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=8,
        num_layers=1,
        num_heads=2,
        intermediate_size=12,
        max_positions=40,
    )
    ids = jnp.zeros(3, jnp.int32)
    params = jax.jit(BertClassifier(config).init)(jax.random.key(0), ids, ids)["params"]
    params = jax.tree.map(lambda p: 3 * p, params)
    save_classifier(folder / "encoder", config, params, source)
    return folder / "encoder"


def make_config(encoder, **changes):
    """Two epochs of 5 label steps, and a round after every third; one padded length."""
    recipe = TextLenConfig(train_size=44, dev_size=8, test_size=8)
    label = LabelConfig(epochs=2, batch=8, chunk=4, learning_rate=1e-2)
    influence = InfluenceConfig(
        interval=3, epochs=2, batch=6, probes=4, k=2, chunk=2, learning_rate=1e-3
    )
    values = {
        "encoder": str(encoder),
        "max_length": 16,
        "cid_probes": 6,
        "data": DataConfig(textlen=recipe),
        "label": label,
        "influence": influence,
    }
    return RunConfig(**(values | changes))
