"""A run small enough for tests: a random one-layer BERT on a few generated sentences."""

import json

from itune.corpora import TextLenConfig
from itune.corpora.newswire import newswire_sentences
from itune.corpora.tasks import DataConfig
from itune.methods import InfluenceConfig, LabelConfig
from itune.models import save_classifier
from itune.training.settings import RunConfig
from tests.helpers.tiny_encoder import make_bert, write_tokenizer


def make_encoder(folder):
    """Write a BERT that knows the words of TextLen's first sentences; return its folder."""
    words = {w.lower() for s in newswire_sentences(40, 0) for w in s} | {"positive", "negative"}
    source, vocabulary = write_tokenizer(folder, sorted(words))
    about = {"model_type": "bert", "vocab_size": len(vocabulary)}
    (source / "config.json").write_text(json.dumps(about))
    config, params = make_bert(vocabulary, positions=40)
    save_classifier(folder / "encoder", config, params, source)
    return folder / "encoder"


def make_config(encoder, **changes):
    """Return settings of two epochs of 5 label steps, a round after each third, one length."""
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
