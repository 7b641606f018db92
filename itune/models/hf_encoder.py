"""How Hugging Face's folders hold encoders of the BERT family: settings, and names of tensors."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from itune.models.architecture import Architecture, TensorSpec, dense_tensors, norm_tensors
from itune.models.blocks import TransformerConfig, layer_name
from itune.models.encoder import EncoderClassifier
from itune.models.hf_family import family_architecture

CONFIG_KEYS: dict[str, tuple[str, Any]] = {
    "vocab_size": ("vocab_size", 30522),
    "hidden_size": ("hidden_size", 768),
    "num_layers": ("num_hidden_layers", 12),
    "num_heads": ("num_attention_heads", 12),
    "intermediate_size": ("intermediate_size", 3072),
    "max_positions": ("max_position_embeddings", 512),
    "type_vocab_size": ("type_vocab_size", 2),
    "layer_norm_eps": ("layer_norm_eps", 1e-12),
    "hidden_dropout": ("hidden_dropout_prob", 0.1),
    "attention_dropout": ("attention_probs_dropout_prob", 0.1),
    "hidden_act": ("hidden_act", "gelu"),
    "classifier_dropout": ("classifier_dropout", float),
}
"""Field of :class:`TransformerConfig`: key in ``config.json``, value where the file leaves it out.

A type in place of the value says that it may be left out.
"""

LAYER_NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention_output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
    "output_norm": "output.LayerNorm",
}
"""Name in our parameters: name in BERT's files, within a layer."""


ENCODER = {"position_embedding_type": "absolute", "is_decoder": False}
"""What ``config.json`` may say of an encoder, and nothing else, if it says it."""


def _embedding_tensors(c: TransformerConfig, projection: str) -> Iterator[TensorSpec]:
    rows = {
        "word": c.vocab_size,
        "position": c.rows if c.has_positions else 0,
        "token_type": c.type_vocab_size,
    }
    width = c.embedding_width
    for name, count in rows.items():
        if count:
            path = ("embeddings", name, "embedding")
            yield TensorSpec(f"embeddings.{name}_embeddings.weight", (count, width), path)
    normalised = width if c.has_projection else c.hidden_size
    yield from norm_tensors("embeddings.LayerNorm", ("embeddings", "norm"), normalised)
    if c.has_projection:
        yield from dense_tensors(projection, ("projection",), width, c.hidden_size)


def _layer_tensors(
    c: TransformerConfig, prefix: Callable[[Any, int], str], names: Mapping[str, str]
) -> Iterator[TensorSpec]:
    for number in sorted(set(c.calls)):
        for ours, theirs in names.items():
            name, path = f"{prefix(c, number)}.{theirs}", (layer_name(number), ours)
            if ours.endswith("norm"):
                yield from norm_tensors(name, path, c.hidden_size)
            else:
                inputs = c.intermediate_size if ours == "output" else c.hidden_size
                outputs = c.intermediate_size if ours == "intermediate" else c.hidden_size
                yield from dense_tensors(name, path, inputs, outputs)


def encoder_architecture(
    module: type[EncoderClassifier],
    config: type[TransformerConfig],
    name: str,
    *,
    prefix: str,
    keys: Mapping[str, tuple[str, Any]] = CONFIG_KEYS,
    more_keys: Mapping[str, tuple[str, Any]] | None = None,
    constants: Mapping[str, Any] | None = None,
    required: Mapping[str, Any] = ENCODER,
    projection: str = "embeddings_project",
    layers: Callable[[Any, int], str] = lambda config, number: f"encoder.layer.{number}",
    layer_names: Mapping[str, str] = LAYER_NAMES,
    pooler: str = "classifier.dense",
    head: str = "classifier.out_proj",
    own: tuple[str, ...] = ("classifier.", "pre_classifier."),
    unneeded: tuple[str, ...] = (),
    leftovers: tuple[str, ...] = (),
    more_tensors: Callable[[Any], Iterable[TensorSpec]] = lambda config: (),
) -> Architecture:
    """Return an architecture of the BERT family, as Hugging Face's folders hold it.

    Args:
      module: The classifier.
      config: Its configuration.
      name: What transformers calls it, such as ``"Bert"`` of ``BertForSequenceClassification``.
      prefix: What precedes the encoder's tensors in a classifier's file.
      keys: Field of the configuration: key in ``config.json``, value where the file leaves it out.
      more_keys: Fields likewise which transformers' own configuration does not have; they are
        written if they are not the default.
      constants: What ``config.json`` says of every such model.
      required: Key in ``config.json``: the only value that is supported, that of a file without it.
      projection: Name of the dense layer that projects the embeddings.
      layers: What precedes the names of a layer's tensors, by the configuration and its number.
      layer_names: Name in our parameters: name in files, within a layer.
      pooler: Name of the dense layer in front of the linear head.
      head: Name of the linear head.
      own: Beginnings of names that have no prefix.
      unneeded: Beginnings of names, without the prefix, of tensors that a classifier lacks.
      leftovers: Beginnings of names of tensors that some classifiers lack, which may be there.
      more_tensors: Tensors that other families lack, by the configuration.
    """

    def tensors(c: TransformerConfig) -> Iterator[TensorSpec]:
        yield from _embedding_tensors(c, projection)
        yield from more_tensors(c)
        yield from _layer_tensors(c, layers, layer_names)
        yield from dense_tensors(pooler, ("pooler",), c.hidden_size, c.hidden_size)
        yield from dense_tensors(head, ("classifier",), c.hidden_size, c.num_labels)

    return family_architecture(
        module,
        config,
        name,
        prefix=prefix,
        keys=keys,
        more_keys=more_keys,
        constants=constants,
        required=required,
        tensors=tensors,
        new_layers={
            pooler: "pooler" if pooler.startswith("pooler") else "classifier's dense layer",
            head: "classification head",
        },
        own=own,
        unneeded=unneeded,
        leftovers=leftovers,
    )
