"""What the library needs to know of an architecture, beside its Flax module.

An architecture is a file with its configuration, its module and an :class:`Architecture`, and a
line in :mod:`itune.models.registry`.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from flax import linen as nn

from itune.errors import UserError

HEAD = "classifier"
"""Name of every model's linear head in its parameters, a ``kernel`` and, in most, a ``bias``."""


class ModelConfig(Protocol):
    """What the configurations of all architectures, frozen dataclasses, have in common.

    Attributes:
      model_type: Key of the architecture in the registry; Hugging Face's name for it.
      vocab_size: Number of tokens.
      hidden_size: Width of the vectors, of which the head gets one.
      num_layers: Number of layers, each counted as often as it is called.
      max_positions: Length of the longest input in tokens.
      takes_pairs: Whether an input may be two texts.
      num_labels: Number of classes.
    """

    model_type: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def vocab_size(self) -> int: ...  # noqa: D102 (described above)

    @property
    def hidden_size(self) -> int: ...  # noqa: D102

    @property
    def num_layers(self) -> int: ...  # noqa: D102

    @property
    def max_positions(self) -> int: ...  # noqa: D102

    @property
    def takes_pairs(self) -> bool: ...  # noqa: D102

    @property
    def num_labels(self) -> int: ...  # noqa: D102


class Part(NamedTuple):
    """Rows of a tensor in which several parameters are packed.

    Attributes:
      blocks: Number of blocks of rows, such as heads, each of which has rows of all parameters.
      parts: Number of parameters, which have as many rows each.
      place: Which of them, counted from 0.
    """

    blocks: int
    parts: int
    place: int


class TensorSpec(NamedTuple):
    """A tensor of a weights file, and where it goes in the parameters.

    Attributes:
      name: Name in the file, without the prefix of the encoder.
      shape: Shape in the file; matrices of dense layers are transposed there, (outputs, inputs).
      path: Path in the tree of parameters.
      part: Which of its rows the parameter is; None for all.
      is_conv1d: Whether it is of transformers' ``Conv1D``, a dense layer that is not transposed.
    """

    name: str
    shape: tuple[int, ...]
    path: tuple[str, ...]
    part: Part | None = None
    is_conv1d: bool = False

    @property
    def is_transposed(self) -> bool:
        """Whether the parameter is the transpose of the tensor."""
        return self.path[-1] == "kernel" and not self.is_conv1d

    @property
    def parameter_shape(self) -> tuple[int, ...]:
        """Shape of the parameter."""
        parts = 1 if self.part is None else self.part.parts
        shape = (self.shape[0] // parts, *self.shape[1:])
        return shape[::-1] if self.is_transposed else shape

    def rows(self, tensor: np.ndarray) -> np.ndarray:
        """Return a view of the tensor's rows that are the parameter's; its shape is another."""
        blocks, parts, place = self.part or Part(1, 1, 0)
        return tensor.reshape(blocks, parts, -1)[:, place]


@dataclass(frozen=True)
class Architecture:
    """An architecture, as Hugging Face's folders hold it.

    Attributes:
      module: ``module(config)``, a classifier in Flax Linen.
      read_config: ``read_config(values, path) -> config`` of the values of the ``config.json`` at a
        path, with ``num_labels`` 2; raises :class:`~itune.errors.UserError` for what is not
        supported, with the path in its message.
      write_config: ``write_config(config)``, what ``config.json`` says of it but for the labels.
      tensors: ``tensors(config)``, all tensors of a classifier.
      canonical_name: ``canonical_name(name)``, the name in ``tensors`` for a name in a file of any
        age; None for a tensor that is not needed.
      saved_name: ``saved_name(name)``, the name that is written to files.
      new_layers: What the dense layers are called that an encoder without a classifier may lack, by
        their names in files. They are drawn anew then, in this order.
      head: Name of the linear head in files; one of ``new_layers``.
      padding: ``padding(config)``, the id of the token that inputs must be padded with, of models
        that find the last token by it; None for others.
      leftovers: Beginnings of names of tensors that are ignored by models without use for them.
      label_rate: Learning rate of label steps that suits the family, over BERT's at one width.
    """

    module: Callable[[Any], nn.Module]
    read_config: Callable[[Mapping[str, Any], Path], Any]
    write_config: Callable[[Any], dict[str, Any]]
    tensors: Callable[[Any], Iterator[TensorSpec]]
    canonical_name: Callable[[str], str | None]
    saved_name: Callable[[str], str]
    new_layers: dict[str, str]
    head: str
    padding: Callable[[Any], int | None] = lambda config: None
    leftovers: tuple[str, ...] = ()
    label_rate: float = 1.0

    def is_of_head(self, name: str) -> bool:
        """Return whether a tensor belongs to the linear head, or to a dense layer in it."""
        return name.startswith(f"{self.head.partition('.')[0]}.")


def dense_tensors(
    name: str, path: tuple[str, ...], inputs: int, outputs: int, *, has_bias: bool = True
) -> Iterator[TensorSpec]:
    """Yield the tensors of a dense layer."""
    yield TensorSpec(f"{name}.weight", (outputs, inputs), (*path, "kernel"))
    if has_bias:
        yield TensorSpec(f"{name}.bias", (outputs,), (*path, "bias"))


def conv1d_tensors(
    name: str, path: tuple[str, ...], inputs: int, outputs: int
) -> Iterator[TensorSpec]:
    """Yield the tensors of a dense layer that is transformers' ``Conv1D``."""
    yield TensorSpec(f"{name}.weight", (inputs, outputs), (*path, "kernel"), is_conv1d=True)
    yield TensorSpec(f"{name}.bias", (outputs,), (*path, "bias"))


def norm_tensors(
    name: str, path: tuple[str, ...], width: int, *, has_bias: bool = True
) -> Iterator[TensorSpec]:
    """Yield the tensors of a normalisation."""
    yield TensorSpec(f"{name}.weight", (width,), (*path, "scale"))
    if has_bias:
        yield TensorSpec(f"{name}.bias", (width,), (*path, "bias"))


_KINDS = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
    dict: "an object",
    tuple: "a list of words",
}


def config_value(values: Mapping[str, Any], name: str, default: Any, path: Path) -> Any:
    """Return a value of ``config.json``, of the type and in the range that its default tells.

    A type in place of a default makes a value that may be absent or null, which is None. Rates of
    dropout are from 0 to 1, other numbers positive, integers at least 1 or as little as the
    default, ids of tokens at least 0. Words are a list, or in one string with bars between them.
    """
    is_optional = isinstance(default, type)
    value = values.get(name, None if is_optional else default)
    if value is None and is_optional:
        return None
    kind = default if is_optional else type(default)
    if kind is tuple:
        return _words(value, name, path)
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise UserError(f"{path}: {name} is {value!r}, not {_KINDS[kind]}")
    if kind is int and value < (least := _least(name, default)):
        raise UserError(f"{path}: {name} is {value}, not an integer of {least} or more")
    if kind is float and "drop" in name:
        if not 0 <= value <= 1:
            raise UserError(f"{path}: {name} is {value}, not a rate from 0 to 1")
    elif kind is float and not 0 < value <= sys.float_info.max:
        raise UserError(f"{path}: {name} is {value}, not a positive number")
    return kind(value)


def _least(name: str, default: Any) -> int:
    if name.endswith("_id"):
        return 0
    return 1 if isinstance(default, type) else min(default, 1)


def _words(value: Any, name: str, path: Path) -> tuple[str, ...]:
    words = [word.strip() for word in value.lower().split("|")] if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise UserError(f"{path}: {name} is {value!r}, not {_KINDS[tuple]}")
    return tuple(words)
