"""A tiny BERT whose tensors are spelled out, shared by the tests of names and of folders."""

import json

import jax
import numpy as np

from itune.models import BertConfig

TINY = BertConfig(
    vocab_size=11,
    hidden_size=4,
    num_layers=2,
    num_heads=2,
    intermediate_size=6,
    max_positions=5,
    num_labels=3,
    hidden_dropout=0.25,
    hidden_act="gelu_new",
)
KEY = jax.random.key(0)


def tiny_tensors():
    """Every tensor of BertForSequenceClassification, spelled out, none like another."""
    h, f = 4, 6
    shapes = {
        "bert.embeddings.word_embeddings.weight": (11, h),
        "bert.embeddings.position_embeddings.weight": (5, h),
        "bert.embeddings.token_type_embeddings.weight": (2, h),
        "bert.embeddings.LayerNorm.weight": (h,),
        "bert.embeddings.LayerNorm.bias": (h,),
        "bert.pooler.dense.weight": (h, h),
        "bert.pooler.dense.bias": (h,),
        "classifier.weight": (3, h),
        "classifier.bias": (3,),
    }
    for i in range(2):
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            shapes[f"bert.encoder.layer.{i}.attention.{name}.weight"] = (h, h)
            shapes[f"bert.encoder.layer.{i}.attention.{name}.bias"] = (h,)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"bert.encoder.layer.{i}.{name}.weight"] = (h,)
            shapes[f"bert.encoder.layer.{i}.{name}.bias"] = (h,)
        shapes[f"bert.encoder.layer.{i}.intermediate.dense.weight"] = (f, h)
        shapes[f"bert.encoder.layer.{i}.intermediate.dense.bias"] = (f,)
        shapes[f"bert.encoder.layer.{i}.output.dense.weight"] = (h, f)
        shapes[f"bert.encoder.layer.{i}.output.dense.bias"] = (h,)
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def assert_same(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


def edit_config(folder, **changes):
    """Changes values of a model's config.json; ``...`` takes one out."""
    path = folder / "config.json"
    values = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: v for key, v in values.items() if v is not ...}))
