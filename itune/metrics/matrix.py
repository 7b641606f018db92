"""The influence of every training example on every probe, in blocks that are kept on disk.

Where a mean over groups will do, :mod:`itune.metrics.cid` has it in two passes and keeps nothing.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from itune.data.dataset import Dataset, collate, padded_length
from itune.errors import UserError
from itune.influence.scores import gradients, score
from itune.influence.subsets import Select, by_path, selected
from itune.utils.compiling import jit
from itune.utils.files import digest_of, save_arrays
from itune.utils.json import write_json
from itune.utils.resumable import NEVER_SAVED, Resumable


class InfluenceMatrix(NamedTuple):
    """Scores of all pairs (NumPy).

    Attributes:
      probes: indices of the probes, ``(P,)``.
      scores: ``[p, i]``, the influence of training example i on probe p, ``(P, N)``.
    """

    probes: np.ndarray
    scores: np.ndarray


def write_influence_matrix(
    loss: Callable[[Any, Any], jax.Array],
    params: Any,
    train: Dataset,
    folder: Path,
    *,
    probes: np.ndarray,
    kind: str = "cosine",
    select: Select = None,
    chunk: int = 16,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Writes ``folder/rows-NNNNN.npz``, a block of probes each; blocks that are there are kept.

    Called again after it was cut off it goes on with the first block that is missing.

    Args:
      loss: one example's label loss; see :func:`itune.influence.products`.
      params: parameters.
      train: the training data.
      folder: made if absent; one matrix to a folder.
      probes: indices into ``train``, ``(P,)``.
      kind: ``"cosine"`` or ``"product"``.
      select: restricts gradients to a subset of the parameters.
      chunk: probes, and training examples, computed at once. Memory grows by the size of the
        kernels for each; results do not depend on it, but blocks on disk do.
      on_progress: called with blocks done and blocks in all.

    Raises:
      UserError: the folder holds the blocks of another matrix, or cannot be written.
    """
    probes = np.asarray(probes)
    if not len(probes):
        raise UserError("there are no probes; give at least one")
    about = {
        "kind": kind,
        "tensors": _tensors(select, params),
        "chunk": chunk,
        "params_sha256": digest_of(params),
        "data_sha256": digest_of([*train.input_ids, train.label, probes]),
    }
    starts = range(0, len(probes), chunk)
    _begin(folder, about)
    block = _make_block(loss, params, train, chunk, kind=kind, select=select, partners=len(train))
    pairs = jit(score)
    for number, start in enumerate(starts):
        path = _block(folder, number)
        if not path.exists():
            rows = probes[start : start + chunk]
            of_rows = block(rows)
            scores = [
                np.asarray(pairs(of_rows, block(columns)))[: len(rows), : len(columns)]
                for columns in np.split(np.arange(len(train)), range(chunk, len(train), chunk))
            ]
            save_arrays(path, probes=rows, scores=np.concatenate(scores, axis=1))
        on_progress(number + 1, len(starts))


def influences_among(
    loss: Callable[[Any, Any], jax.Array],
    params: Any,
    train: Dataset,
    indices: np.ndarray,
    *,
    chunk: int = 16,
    memory: int = 2 << 30,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    resumable: Resumable = NEVER_SAVED,
) -> np.ndarray:
    """Gradient cosines of some examples with one another, ``(n, n)``, in memory.

    Half of the pairs are computed, in blocks; the other half is the same. The gradients of a few
    blocks of rows are held at once, of one column after another; fewer, and columns are made anew
    for more groups of rows.

    Args:
      loss: as of :func:`write_influence_matrix`, and so are the others.
      params: parameters.
      train: where the examples are.
      indices: n of them.
      chunk: examples computed at once.
      memory: bytes that the gradients of rows may take, if one block of them does not.
      on_progress: called with pairs of blocks done and in all.
      resumable: keeps what is done, under the name ``matrix``.
    """
    count = len(indices)
    block = _make_block(loss, params, train, chunk, kind="cosine", select=None, partners=count)
    pairs = jit(score)
    blocks = np.split(np.arange(count), range(chunk, count, chunk))
    few = max(memory // _block_bytes(loss, params, train, chunk, partners=count), 1)
    total = _pairs(len(blocks))

    def fill(state, start):
        """Fills in a few blocks of rows, and their mirror image."""
        matrix, left = state["matrix"], blocks[start:]
        done = total - _pairs(len(left))
        held = [(rows, block(indices[rows])) for rows in left[:few]]
        for number, columns in enumerate(left):
            of_columns = held[number][1] if number < few else block(indices[columns])
            for rows, of_rows in held[: number + 1]:
                found = np.asarray(pairs(of_rows, of_columns))[: len(rows), : len(columns)]
                matrix[np.ix_(rows, columns)], matrix[np.ix_(columns, rows)] = found, found.T
                on_progress(done := done + 1, total)
        return state

    state = {"matrix": np.empty((count, count), np.float64)}
    return resumable.fold("matrix", state, range(0, len(blocks), few), fill)["matrix"]


def _pairs(blocks: int) -> int:
    """Pairs of so many blocks, each with itself among them."""
    return blocks * (blocks + 1) // 2


def _block_bytes(loss, params, train: Dataset, chunk: int, *, partners) -> int:
    """Of the gradients of a block."""
    make = gradients(loss, kind="cosine", partners=partners)
    examples = collate(
        train, np.zeros(chunk, int), length=padded_length(train.lengths, train.multiple)
    )
    leaves = jax.tree.leaves(jax.eval_shape(make, params, examples))
    return sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)


def _make_block(loss, params, train: Dataset, chunk: int, *, kind, select, partners):
    """Builds what gives the gradients of up to ``chunk`` examples, filled up; of one shape."""
    length = padded_length(train.lengths, train.multiple)
    make = jit(gradients(loss, kind=kind, select=select, partners=partners))
    return lambda indices: make(params, collate(train, np.resize(indices, chunk), length=length))


def read_influence_matrix(folder: Path) -> InfluenceMatrix:
    """Reads all blocks of :func:`write_influence_matrix`.

    Raises:
      UserError: there are none, or one is damaged or missing.
    """
    paths = sorted(folder.glob("rows-*.npz"))
    if not paths:
        raise UserError(f"{folder} holds no influence matrix")
    if paths != [_block(folder, number) for number in range(len(paths))]:
        raise UserError(f"{folder}: a block of rows is missing; write the matrix again")
    blocks = []
    for path in paths:
        try:
            with np.load(path, allow_pickle=False) as file:
                blocks.append((file["probes"], file["scores"]))
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"{path} is damaged; delete it and write the matrix again") from error
    return InfluenceMatrix(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))


def _block(folder: Path, number: int) -> Path:
    return folder / f"rows-{number:05d}.npz"


def _begin(folder: Path, about: dict[str, Any]) -> None:
    path = folder / "matrix.json"
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_json(path, about)
        found = json.loads(path.read_text())
    except OSError as error:
        raise UserError(f"cannot use folder {folder}: {error.strerror}; choose another") from None
    except ValueError:
        raise UserError(f"{path} is damaged; choose another folder, or delete this one") from None
    for key, value in about.items():
        if found.get(key) != value:
            raise UserError(
                f"{path}: this matrix was begun with {key} {found.get(key)}, not {value}; choose "
                "another folder, or delete this one"
            )


def _tensors(select: Select, params: Any) -> str:
    """What is selected, in words that are the same for the same tensors."""
    if select is None:
        return "all"
    kept = selected(select, by_path(params))
    return " ".join("/".join(path) + str(list(index) or "") for path, index in kept.items())
