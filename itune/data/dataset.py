"""Tokenised data, and padded arrays of any selection of it."""

import contextlib
import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from itune.data.padding import BUCKET, Padding, padded_length
from itune.data.ragged import Ragged, offsets_of
from itune.errors import UserError
from itune.groups import HIDDEN
from itune.tables.table import Table, Tables
from itune.utils.devices import divides, from_parts, own_part, share_out
from itune.utils.progress import Progress

BATCH = 2000
"""Rows that are tokenised at a time."""

MANY = 50_000
"""Rows that take long enough to tokenise to show progress."""


class Dataset(NamedTuple):
    """Tokens, labels and confounds of N examples (NumPy; nothing is padded).

    Attributes:
      input_ids: Token ids, one integer array for each example: a list of arrays, or a
        :class:`Ragged`.
      label: Labels, an int32 array of shape ``(N,)``.
      confound: Confounds, an int32 array of shape ``(N,)``; :data:`HIDDEN` where the confound is
        not to be used.
      second: Position of the first token of the second text, an int32 array of shape ``(N,)``;
        None if examples are single texts.
      padding: What lengths are padded to: multiples of a number; or certain lengths, in ascending
        order, and multiples of 8 beyond the last.
      twin_of: For each example the index of the one that it is a counterfactual twin of, an integer
        array of shape ``(N,)``, -1 where it is none; None if no example is a twin.
    """

    input_ids: Sequence[np.ndarray]
    label: np.ndarray
    confound: np.ndarray
    second: np.ndarray | None = None
    padding: Padding = BUCKET
    twin_of: np.ndarray | None = None

    def __len__(self) -> int:
        """Return the number of examples, N (not of fields)."""
        return len(self.input_ids)

    @property
    def visible(self) -> np.ndarray:
        """Indices of the examples whose confound is not hidden."""
        return np.flatnonzero(self.confound != HIDDEN)

    def subset(self, indices: np.ndarray) -> "Dataset":
        """Return the examples at some indices, ``(n,)``, in that order; none is a twin any more."""
        ids = self.input_ids
        ids = ids.take(indices) if isinstance(ids, Ragged) else [ids[i] for i in indices]
        second = None if self.second is None else self.second[indices]
        return Dataset(ids, self.label[indices], self.confound[indices], second, self.padding)

    def padded_to(self, padding: Padding) -> "Dataset":
        """Return these examples, to be padded to other lengths."""
        return Dataset(*self[:4], padding, self.twin_of)

    @property
    def lengths(self) -> np.ndarray:
        """Number of tokens of each example, an integer array of shape ``(N,)``."""
        if isinstance(self.input_ids, Ragged):
            return self.input_ids.lengths
        return np.array([len(ids) for ids in self.input_ids])


def differing(one: Dataset, other: Dataset) -> np.ndarray:
    """Return the ascending indices of examples whose tokens in two data sets are not the same."""
    pairs = zip(one.input_ids, other.input_ids, strict=True)
    return np.flatnonzero([not np.array_equal(a, b) for a, b in pairs])


def tokenize_tables(tables: Tables, tokenizer: Any, **limits: Any) -> dict[str, Dataset]:
    """Tokenise train, dev and test of a table by name, and show progress if it is large."""
    splits = tables.splits()
    total = sum(table.size for table in splits.values())
    bar = Progress("tokens", total) if total > MANY else None
    with contextlib.closing(bar) if bar else contextlib.nullcontext():
        return {
            name: tokenize_table(table, tokenizer, on_batch=bar.advance if bar else None, **limits)
            for name, table in splits.items()
        }


def tokenize_table(
    table: Table,
    tokenizer: Any,
    *,
    max_length: int,
    max_positions: int = 512,
    vocab_size: int | None = None,
    on_batch: Callable[[int], None] | None = None,
) -> Dataset:
    """Tokenise a table batch by batch; its text is never held whole.

    Args:
      table: Texts, or pairs of texts, whose tokens are then marked as first or second.
      tokenizer: A Hugging Face tokenizer.
      max_length: Number of tokens, markers included, to which longer inputs are truncated; of a
        pair, the longer text is truncated first.
      max_positions: Number of positions of the model.
      vocab_size: Number of rows of the model's table of tokens; None does not check it.
      on_batch: Called with the number of rows of each batch when it is done.

    Returns:
      The data set, its rows in the order of the table.

    Raises:
      UserError: ``max_length`` is larger than ``max_positions``, or leaves no room for a word; or
        the tokenizer gives ids that the model does not have.
    """
    input_ids, second = _encode(
        table.batches(BATCH),
        tokenizer,
        max_length=max_length,
        max_positions=max_positions,
        vocab_size=vocab_size,
        is_pair=table.is_pair,
        on_batch=on_batch,
    )
    multiple = _multiple(max_length, max_positions)
    return Dataset(input_ids, table.label, table.confound, second, multiple)


def tokenize_texts(
    texts: Sequence[Any],
    tokenizer: Any,
    *,
    max_length: int,
    max_positions: int = 512,
    vocab_size: int | None = None,
) -> Dataset:
    """Tokenise strings, or pairs of them, with label 0 and a hidden confound in every row."""
    is_pair = not isinstance(texts[0], str)
    input_ids, second = _encode(
        (_columns(texts[i : i + BATCH], is_pair) for i in range(0, len(texts), BATCH)),
        tokenizer,
        max_length=max_length,
        max_positions=max_positions,
        vocab_size=vocab_size,
        is_pair=is_pair,
    )
    label = np.zeros(len(texts), np.int32)
    multiple = _multiple(max_length, max_positions)
    return Dataset(input_ids, label, np.full_like(label, HIDDEN), second, multiple)


def _columns(batch: Sequence[Any], is_pair: bool) -> tuple[list[str], ...]:
    return tuple(map(list, zip(*batch, strict=True))) if is_pair else (list(map(str, batch)),)


def _multiple(max_length: int, max_positions: int) -> int:
    """Return what padded lengths are multiples of, so that the longest has a position each."""
    fits = padded_length(np.array([max_length])) <= max_positions
    return BUCKET if fits else math.gcd(BUCKET, max_positions)


def _require_length(max_length: int, max_positions: int) -> None:
    if max_length > max_positions:
        raise UserError(
            f"max_length is {max_length} but the encoder has {max_positions} positions; "
            f"set max_length to {max_positions} or less"
        )
    if max_length < 3:
        raise UserError(f"max_length is {max_length}; it must be at least 3")


def _encode(
    batches: Iterable[tuple[list[str], ...]],
    tokenizer: Any,
    *,
    max_length: int,
    max_positions: int,
    vocab_size: int | None,
    is_pair: bool,
    on_batch: Callable[[int], None] | None = None,
) -> tuple[Ragged, np.ndarray | None]:
    """Tokenise batches of texts; also return where the second text of each pair begins."""
    _require_length(max_length, max_positions)
    values, lengths, firsts = array("i"), array("i"), array("i")  # these grow in place
    for texts in batches:
        encoded = tokenizer(
            *texts,
            truncation=True,
            max_length=max_length,
            return_attention_mask=False,
            return_token_type_ids=is_pair,
        )
        # Tokenizers of decoders put no markers around a text without words.
        rows = Ragged.of(row or [tokenizer.eos_token_id] for row in encoded["input_ids"])
        _require_known(rows.values, vocab_size)
        values.frombytes(rows.values.tobytes())
        lengths.frombytes(rows.lengths.astype(np.int32).tobytes())
        if is_pair:
            firsts.extend(
                kinds.index(1) if 1 in kinds else len(kinds) for kinds in encoded["token_type_ids"]
            )
        if on_batch is not None:
            on_batch(len(texts[0]))
    offsets = offsets_of(np.frombuffer(lengths, np.int32))
    second = np.frombuffer(firsts, np.int32) if is_pair else None
    return Ragged(np.frombuffer(values, np.int32), offsets), second


def _require_known(ids: np.ndarray, vocab_size: int | None) -> None:
    largest = int(ids.max(initial=0))
    if vocab_size is not None and largest >= vocab_size:
        raise UserError(
            f"the tokenizer gives id {largest} but the encoder has {vocab_size} tokens; their "
            "files do not belong together, fetch both from one place"
        )


def collate(
    dataset: Dataset, indices: np.ndarray, *, length: int | None = None
) -> dict[str, np.ndarray]:
    """Return padded arrays of some examples of a data set.

    Args:
      dataset: Data set that the examples are taken from.
      indices: Indices of the examples, an integer array of any shape.
      length: Padded length T, at least that of the longest example; None takes the length of the
        longest example, rounded up as ``dataset.padding`` says.

    Returns:
      ``input_ids`` and ``attention_mask`` of shape ``indices.shape + (T,)``, int32 and bool, and
      ``label`` and ``confound`` of shape ``indices.shape``, int32. For pairs of texts also
      ``token_type_ids`` of shape ``indices.shape + (T,)``, int32: 1 at the tokens of the second
      text, else 0.
    """
    flat = np.ravel(indices)
    rows = [dataset.input_ids[i] for i in flat]
    length = length or padded_length(np.array([len(row) for row in rows]), dataset.padding)
    input_ids = np.zeros((len(rows), length), np.int32)
    mask = np.zeros((len(rows), length), bool)
    for row, (ids, real) in zip(rows, zip(input_ids, mask, strict=True), strict=True):
        ids[: len(row)] = row
        real[: len(row)] = True
    shape = np.shape(indices)
    batch = {
        "input_ids": input_ids.reshape(*shape, length),
        "attention_mask": mask.reshape(*shape, length),
        "label": dataset.label[indices],
        "confound": dataset.confound[indices],
    }
    if dataset.second is not None:
        is_second = mask & (np.arange(length) >= dataset.second[flat][:, None])
        batch["token_type_ids"] = is_second.astype(np.int32).reshape(*shape, length)
    return batch


def collate_shared(
    dataset: Dataset, indices: np.ndarray, *, axis: int = 0, length: int | None = None
) -> dict[str, Any]:
    """Return what :func:`collate` does, divided among the devices along an axis of the indices.

    Each process reads the rows of its own devices. Where their number does not divide that axis,
    the arrays are NumPy's, for all devices to use.
    """
    size = np.shape(indices)[axis]
    own = own_part(size)
    if own == slice(0, size) or not divides(size):
        return share_out(collate(dataset, indices, length=length), axis)
    length = length or padded_length(dataset.lengths[indices], dataset.padding)
    part = collate(dataset, np.take(indices, np.arange(size)[own], axis), length=length)
    return {name: from_parts(array, axis, size) for name, array in part.items()}


def chunks_by_length(
    dataset: Dataset, indices: np.ndarray, size: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split rows of indices into chunks of equal size whose examples have similar lengths.

    A row may hold several examples (a tuple); its length is that of its longest.

    Args:
      dataset: Data set that the indices point into.
      indices: Indices of the examples, an integer array of shape ``(n,)`` or ``(n, examples)``.
      size: Number of rows of a chunk.

    Returns:
      For each chunk, positions into ``indices``, an integer array of shape ``(size,)``, and
      ``is_real``, a bool array of shape ``(size,)``. The last chunk is filled up by repeating its
      first row, marked False.
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
