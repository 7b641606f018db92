"""Tokenised data, and padded arrays of any selection of it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from itune.data.example import Example
from itune.errors import UserError

HIDDEN = -1
"""The confound of an example whose confound a method may not see."""

BUCKET = 8
"""Padded lengths are multiples of this, so that few shapes are compiled."""


class Dataset(NamedTuple):
    """Word pieces, labels and confounds of N examples (NumPy; nothing is padded).

    Attributes:
      input_ids: one integer array for each example.
      label: ``(N,)`` int32.
      confound: ``(N,)`` int32; :data:`HIDDEN` where it is not to be used.
    """

    input_ids: list[np.ndarray]
    label: np.ndarray
    confound: np.ndarray

    def __len__(self) -> int:
        """The number of examples, N (not of fields)."""
        return len(self.input_ids)

    @property
    def visible(self) -> np.ndarray:
        """Indices of the examples whose confound is not hidden."""
        return np.flatnonzero(self.confound != HIDDEN)

    def subset(self, indices: np.ndarray) -> "Dataset":
        """The examples at some indices, ``(n,)``, in that order."""
        ids = [self.input_ids[i] for i in indices]
        return Dataset(ids, self.label[indices], self.confound[indices])

    @property
    def lengths(self) -> np.ndarray:
        """Word pieces of each example, ``(N,)``."""
        return np.array([len(ids) for ids in self.input_ids])


def tokenize(
    examples: Sequence[Example],
    tokenizer: Any,
    *,
    max_length: int,
    max_positions: int = 512,
    vocab_size: int | None = None,
) -> Dataset:
    """Tokenises with the encoder's Hugging Face tokenizer.

    Args:
      examples: pre-split sentences.
      tokenizer: a Hugging Face tokenizer.
      max_length: longer sequences are cut to this many word pieces, markers included.
      max_positions: the model's limit.
      vocab_size: rows of the model's table; None does not check.

    Raises:
      UserError: ``max_length`` is beyond the model's positions, or leaves no room for a word; or
        the tokenizer gives ids that the model does not have.
    """
    if max_length > max_positions:
        raise UserError(
            f"max_length is {max_length} but the encoder has {max_positions} positions; "
            f"set max_length to {max_positions} or less"
        )
    if max_length < 3:
        raise UserError(f"max_length is {max_length}; it must be at least 3")
    encoded = tokenizer(
        [list(example.tokens) for example in examples],
        is_split_into_words=True,
        truncation=True,
        max_length=max_length,
        return_attention_mask=False,
        return_token_type_ids=False,
    )
    input_ids = [np.asarray(ids, np.int32) for ids in encoded["input_ids"]]
    largest = max((int(ids.max()) for ids in input_ids), default=0)
    if vocab_size is not None and largest >= vocab_size:
        raise UserError(
            f"the tokenizer gives id {largest} but the encoder has {vocab_size} word pieces; their "
            "files do not belong together, fetch both from one place"
        )
    return Dataset(
        input_ids,
        np.array([example.label for example in examples], np.int32),
        np.array([example.confound for example in examples], np.int32),
    )


def padded_length(lengths: np.ndarray) -> int:
    """The shortest multiple of :data:`BUCKET` that holds every length."""
    return -(-int(np.max(lengths)) // BUCKET) * BUCKET


def collate(
    dataset: Dataset, indices: np.ndarray, *, length: int | None = None
) -> dict[str, np.ndarray]:
    """Padded arrays of the examples at ``indices``, of any shape.

    Args:
      dataset: where they come from.
      indices: which.
      length: T, at least the longest; None for that, rounded up to a multiple of :data:`BUCKET`.

    Returns:
      ``input_ids`` and ``attention_mask`` of shape ``indices.shape + (T,)``, int32 and bool, and
      ``label`` and ``confound`` of shape ``indices.shape``.
    """
    flat = np.ravel(indices)
    rows = [dataset.input_ids[i] for i in flat]
    length = length or padded_length(np.array([len(row) for row in rows]))
    input_ids = np.zeros((len(rows), length), np.int32)
    mask = np.zeros((len(rows), length), bool)
    for row, (ids, real) in zip(rows, zip(input_ids, mask, strict=True), strict=True):
        ids[: len(row)] = row
        real[: len(row)] = True
    shape = np.shape(indices)
    return {
        "input_ids": input_ids.reshape(*shape, length),
        "attention_mask": mask.reshape(*shape, length),
        "label": dataset.label[indices],
        "confound": dataset.confound[indices],
    }


def chunks_by_length(
    dataset: Dataset, indices: np.ndarray, size: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Splits rows of indices into chunks of like length, all of one size.

    A row may hold several examples (a tuple); its length is that of its longest.

    Args:
      dataset: where the lengths come from.
      indices: ``(n,)`` or ``(n, examples)``.
      size: rows of a chunk.

    Returns:
      Pairs of positions into ``indices``, ``(size,)``, and ``is_real``, ``(size,)``: the last chunk
      is filled up by repeating its first row, marked False.
    """
    rows = np.reshape(indices, (len(indices), -1))
    longest = dataset.lengths[rows].max(axis=1)
    order = np.argsort(longest, kind="stable")
    result = []
    for start in range(0, len(order), size):
        chunk = order[start : start + size]
        missing = size - len(chunk)
        is_real = np.arange(size) < len(chunk)
        result.append((np.concatenate([chunk, np.repeat(chunk[:1], missing)]), is_real))
    return result
