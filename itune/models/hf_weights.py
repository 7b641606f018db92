"""Tensors named as Hugging Face's BERT names them, and our tree of parameters.

Conversion checks both ways: a tensor that is missing, left over, or of the wrong shape is an error
that names it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.errors import UserError
from itune.models.bert import BertConfig, layer_name

Params = dict[str, Any]

_EMBEDDINGS = {
    "word": "word_embeddings",
    "position": "position_embeddings",
    "token_type": "token_type_embeddings",
    "norm": "LayerNorm",
}
_LAYER = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention_output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
    "output_norm": "output.LayerNorm",
}


class _Slot(NamedTuple):
    """One tensor of the file and where it goes."""

    name: str  # in the file, without the "bert." prefix
    shape: tuple[int, ...]  # in the file
    path: tuple[str, ...]  # in our tree

    @property
    def transposed(self) -> bool:
        return self.path[-1] == "kernel"


def _affine(name, path, inputs, outputs):
    yield _Slot(f"{name}.weight", (outputs, inputs), (*path, "kernel"))
    yield _Slot(f"{name}.bias", (outputs,), (*path, "bias"))


def _normalisation(name, path, width):
    yield _Slot(f"{name}.weight", (width,), (*path, "scale"))
    yield _Slot(f"{name}.bias", (width,), (*path, "bias"))


def _slots(c: BertConfig) -> Iterator[_Slot]:
    rows = {"word": c.vocab_size, "position": c.max_positions, "token_type": c.type_vocab_size}
    for ours, theirs in _EMBEDDINGS.items():
        name, path = f"embeddings.{theirs}", ("embeddings", ours)
        if ours == "norm":
            yield from _normalisation(name, path, c.hidden_size)
        else:
            yield _Slot(f"{name}.weight", (rows[ours], c.hidden_size), (*path, "embedding"))
    for i in range(c.num_layers):
        for ours, theirs in _LAYER.items():
            name, path = f"encoder.layer.{i}.{theirs}", (layer_name(i), ours)
            if ours.endswith("norm"):
                yield from _normalisation(name, path, c.hidden_size)
            else:
                inputs = c.intermediate_size if ours == "output" else c.hidden_size
                outputs = c.intermediate_size if ours == "intermediate" else c.hidden_size
                yield from _affine(name, path, inputs, outputs)
    yield from _affine("pooler.dense", ("pooler",), c.hidden_size, c.hidden_size)
    yield from _affine("classifier", ("classifier",), c.hidden_size, c.num_labels)


def _canonical(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Drops the prefix, old names of normalisations, pretraining heads and buffers."""
    found: dict[str, np.ndarray] = {}
    for original, tensor in tensors.items():
        name = original.removeprefix("bert.")
        if name.startswith("cls.") or name.endswith((".position_ids", ".token_type_ids")):
            continue
        name = name.replace("LayerNorm.gamma", "LayerNorm.weight")
        name = name.replace("LayerNorm.beta", "LayerNorm.bias")
        if name in found:
            raise UserError(f"tensor {name!r} appears twice in the weights, once as {original!r}")
        found[name] = tensor
    return found


def _add_new_heads(tensors: dict[str, np.ndarray], config: BertConfig, key: jax.Array) -> None:
    """Draws the pooler and the classifier where the file has neither weight nor bias of them."""
    sizes = {"pooler.dense": config.hidden_size, "classifier": config.num_labels}
    for (name, outputs), k in zip(sizes.items(), jax.random.split(key), strict=True):
        weight, bias = f"{name}.weight", f"{name}.bias"
        if weight not in tensors and bias not in tensors:
            kernel = 0.02 * jax.random.normal(k, (config.hidden_size, outputs), jnp.float32)
            tensors[weight] = np.asarray(kernel).T
            tensors[bias] = np.zeros(outputs, np.float32)


def _check_names_and_shapes(tensors: Mapping[str, np.ndarray], config: BertConfig) -> None:
    expected = {slot.name: slot.shape for slot in _slots(config)}
    for problem, names in (
        ("lack", sorted(expected.keys() - tensors.keys())),
        ("hold an unknown", sorted(tensors.keys() - expected.keys())),
    ):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise UserError(f"the weights {problem} tensor {names[0]!r}{more}; is this a BERT?")
    labels = tensors["classifier.bias"].shape
    if labels != (config.num_labels,):
        raise UserError(
            f"the weights hold a classifier of shape {tensors['classifier.weight'].shape}, not of "
            f"{config.num_labels} labels; set num_labels to match, or leave the classifier.* "
            "tensors out to start a new one"
        )
    for name, shape in expected.items():
        if tensors[name].shape != shape:
            raise UserError(
                f"tensor {name!r} has shape {tensors[name].shape}, but config says {shape}"
            )


def from_hugging_face(
    tensors: Mapping[str, np.ndarray], config: BertConfig, key: jax.Array
) -> Params:
    """Arranges Hugging Face's tensors as the parameters of a ``BertClassifier``.

    Args:
        tensors: Name to array. Names may start with ``bert.``; normalisations may be called
            ``gamma`` and ``beta``; pretraining heads (``cls.*``) and position buffers are ignored.
        config: Sizes that the tensors must have.
        key: Random key for what the tensors lack: a pooler or a classifier is then drawn from a
            normal of standard deviation 0.02, with zero bias.

    Returns:
        Nested dict of float32 arrays.

    Raises:
        UserError: A tensor is missing, left over, or of another shape (each named), or the
            classifier has another number of labels.
    """
    found = _canonical(tensors)
    _add_new_heads(found, config, key)
    _check_names_and_shapes(found, config)
    params: Params = {}
    for slot in _slots(config):
        value = np.asarray(found[slot.name], np.float32)
        _insert(params, slot.path, jnp.asarray(value.T if slot.transposed else value))
    return params


def to_hugging_face(params: Params, config: BertConfig) -> dict[str, np.ndarray]:
    """Names and lays out parameters as ``BertForSequenceClassification`` stores them.

    Args:
        params: Parameters of a ``BertClassifier``.
        config: Its configuration.

    Returns:
        Name to float32 array, each C-contiguous and a copy.

    Raises:
        UserError: ``params`` and ``config`` disagree.
    """
    tensors = {}
    for slot in _slots(config):
        value = _lookup(params, slot.path)
        shape = slot.shape[::-1] if slot.transposed else slot.shape
        if value is None or np.shape(value) != shape:
            got = "absent" if value is None else f"of shape {np.shape(value)}"
            raise UserError(
                f"parameter {'/'.join(slot.path)} is {got}, but config says shape {shape}"
            )
        array = np.asarray(value).T if slot.transposed else np.asarray(value)
        prefix = "" if slot.name.startswith("classifier.") else "bert."
        # safetensors writes other layouts wrongly without a word; only C order is safe.
        tensors[prefix + slot.name] = np.array(array, np.float32, order="C")
    return tensors


def _insert(tree, path, value):
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = value


def _lookup(tree, path):
    for name in path:
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    return tree
