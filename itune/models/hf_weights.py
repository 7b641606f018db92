"""Tensors by Hugging Face's names, and our tree of parameters.

Conversion is checked both ways: a tensor that is missing, left over, or of the wrong shape is an
error that names it.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from itune.errors import UserError
from itune.models.architecture import Architecture, ModelConfig
from itune.models.registry import architecture_of

Params = dict[str, Any]
"""Parameters of a model: nested dicts of arrays."""


def from_hugging_face(
    tensors: Mapping[str, np.ndarray], config: ModelConfig, key: jax.Array
) -> Params:
    """Arrange Hugging Face's tensors as the parameters of a model.

    Args:
      tensors: Arrays by name. Names may lack the prefix of the encoder (``bert.``); normalisations
        may have ``gamma`` and ``beta``; pretraining heads and position buffers are ignored.
      config: Configuration, whose sizes the tensors must have.
      key: Random key of the layers that the tensors lack, a pooler or a classifier. Their weights
        are drawn from a normal distribution of standard deviation 0.02, with biases of 0.

    Returns:
      Nested dict of float32 arrays.

    Raises:
      UserError: A tensor is missing, left over, or of another shape (each named), or the
        classifier has another number of labels.
    """
    architecture = architecture_of(config)
    arrays = _canonical(tensors, architecture, config)
    _add_new_layers(arrays, architecture, config, key)
    _check_names_and_shapes(arrays, architecture, config)
    params: Params = {}
    for spec in architecture.tensors(config):
        value = spec.rows(np.asarray(arrays[spec.name], np.float32))
        shape = spec.parameter_shape
        value = value.reshape(shape[::-1]).T if spec.is_transposed else value.reshape(shape)
        _insert(params, spec.path, jax.device_put(value, may_alias=False))
    return params


def to_hugging_face(params: Params, config: ModelConfig) -> dict[str, np.ndarray]:
    """Name and arrange the parameters of a model as Hugging Face's classifier stores them.

    Args:
      params: Parameters of the model.
      config: Its configuration.

    Returns:
      Arrays by name, float32, each C-contiguous and a copy.

    Raises:
      UserError: A parameter is missing, or not of the shape that the configuration says.
    """
    architecture = architecture_of(config)
    tensors: dict[str, np.ndarray] = {}
    for spec in architecture.tensors(config):
        value = _lookup(params, spec.path)
        shape = spec.parameter_shape
        if value is None or np.shape(value) != shape:
            got = "absent" if value is None else f"of shape {np.shape(value)}"
            raise UserError(
                f"parameter {'/'.join(spec.path)} is {got}, but config says shape {shape}"
            )
        array = np.asarray(value).T if spec.is_transposed else np.asarray(value)
        # safetensors writes other layouts than C order, which this is, wrongly without a word.
        empty = np.empty(spec.shape, np.float32)
        rows = spec.rows(tensors.setdefault(architecture.saved_name(spec.name), empty))
        rows[...] = array.reshape(rows.shape)
    return tensors


def has_layer(tensors: Mapping[str, np.ndarray], config: ModelConfig, layer: str) -> bool:
    """Return whether a dense layer, by its name in files, is among Hugging Face's tensors."""
    canonical_name = architecture_of(config).canonical_name
    return f"{layer}.weight" in map(canonical_name, tensors)


def _canonical(
    tensors: Mapping[str, np.ndarray], architecture: Architecture, config: ModelConfig
) -> dict[str, np.ndarray]:
    expected = {spec.name for spec in architecture.tensors(config)}
    arrays: dict[str, np.ndarray] = {}
    for original, tensor in tensors.items():
        name = architecture.canonical_name(original)
        if name is None or (name not in expected and name.startswith(architecture.leftovers)):
            continue
        if name in arrays:
            raise UserError(f"tensor {name!r} appears twice in the weights, once as {original!r}")
        arrays[name] = tensor
    return arrays


def _add_new_layers(
    tensors: dict[str, np.ndarray], architecture: Architecture, config: ModelConfig, key: jax.Array
) -> None:
    """Draw the layers of which the file has neither weight nor bias."""
    shapes = {spec.name: spec.shape for spec in architecture.tensors(config)}
    keys = jax.random.split(key, len(architecture.new_layers))
    for name, k in zip(architecture.new_layers, keys, strict=True):
        weight, bias = f"{name}.weight", f"{name}.bias"
        if weight not in tensors and bias not in tensors:
            shape = shapes[weight]
            if len(shape) == 1:
                tensors[weight] = np.ones(shape, np.float32)
            else:
                kernel = 0.02 * jax.random.normal(k, shape[::-1], jnp.float32)
                tensors[weight] = np.asarray(kernel).T
            if bias in shapes:
                tensors[bias] = np.zeros(shape[0], np.float32)


def _check_names_and_shapes(
    tensors: Mapping[str, np.ndarray], architecture: Architecture, config: ModelConfig
) -> None:
    expected = {spec.name: spec.shape for spec in architecture.tensors(config)}
    for problem, names in (
        ("lack", sorted(expected.keys() - tensors.keys())),
        ("hold an unknown", sorted(tensors.keys() - expected.keys())),
    ):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise UserError(
                f"the weights {problem} tensor {names[0]!r}{more}; is this a model of type "
                f"{config.model_type}?"
            )
    head = architecture.head
    of_head = (tensors[name] for name in (f"{head}.weight", f"{head}.bias") if name in tensors)
    if any(tensor.shape[:1] != (config.num_labels,) for tensor in of_head):
        raise UserError(
            f"the weights hold a classifier of shape {tensors[f'{head}.weight'].shape}, not of "
            f"{config.num_labels} labels; set num_labels to match, or leave the {head}.* tensors "
            "out to start a new one"
        )
    for name, shape in expected.items():
        if tensors[name].shape != shape:
            raise UserError(
                f"tensor {name!r} has shape {tensors[name].shape}, but config says {shape}"
            )


def _insert(tree: dict[str, Any], path: tuple[str, ...], value: jax.Array) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = value


def _lookup(tree: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    return tree
