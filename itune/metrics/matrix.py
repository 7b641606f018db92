"""The influence of every training example on every probe, in memory or in blocks on disk."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from itune.data.dataset import Dataset, collate, collate_shared
from itune.data.padding import padded_length
from itune.errors import UserError
from itune.influence import LossFn, Select
from itune.influence.scores import Gradients, gradients, score
from itune.influence.subsets import by_path, selected
from itune.influence.types import Params
from itune.utils.compiling import jit, memoized
from itune.utils.devices import lay_out
from itune.utils.files import digest_of, save_arrays
from itune.utils.json import write_json
from itune.utils.resumable import NEVER_SAVED, Resumable, State


class InfluenceMatrix(NamedTuple):
    """Scores of all pairs (NumPy).

    Attributes:
      probes: Indices of the probes in the training data, ``(P,)``.
      scores: Scores ``(P, N)``; ``[p, i]`` is the influence of training example i on probe p.
    """

    probes: np.ndarray
    scores: np.ndarray


def write_influence_matrix(
    loss: LossFn,
    params: Params,
    train: Dataset,
    folder: Path,
    *,
    probes: np.ndarray,
    kind: str = "cosine",
    select: Select = None,
    chunk: int = 16,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Write scores of all training examples on some probes, ``folder/rows-NNNNN.npz``.

    Each file is a block of probes. Blocks that are there already are left as they are, so that a
    call after an interruption goes on with the first block that is missing.

    Args:
      loss: ``loss(params, example) -> scalar``, the label loss of one example; gradients of a
        :class:`~itune.influence.LinenLoss` stay factored where that is cheaper.
      params: Parameters of the model.
      train: The training data.
      folder: Folder of this matrix alone; made if absent.
      probes: Indices into ``train``, ``(P,)``.
      kind: Kind of score, ``"cosine"`` or ``"product"``.
      select: Restricts gradients to a subset of the parameters (:data:`~itune.influence.Select`).
      chunk: Number of probes, and of training examples, computed at once. Memory grows by the size
        of the kernels for each; results do not depend on it, but blocks on disk do.
      on_progress: Called with the number of blocks done and the number in all.

    Raises:
      UserError: There is no probe, or the folder holds the blocks of another matrix or cannot be
        written.
    """
    probes = np.asarray(probes)
    if not len(probes):
        raise UserError("probes must have at least one index, got none")
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
    _, pairs = compiled_scores(loss, kind, select, len(train))
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
    loss: LossFn,
    params: Params,
    train: Dataset,
    indices: np.ndarray,
    *,
    chunk: int = 16,
    partners: int | None = None,
    memory: int = 2 << 30,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    resumable: Resumable = NEVER_SAVED,
) -> np.ndarray:
    """Compute gradient cosines of some examples with one another, ``(n, n)``, float64, symmetric.

    Half of the pairs are computed, in blocks; the other half mirrors it. The gradients of as many
    blocks of rows as ``memory`` has bytes for, one at least, are held at once, those of columns one
    block after another; the fewer blocks are held, the more often columns are computed again. What
    is compiled suits a number of ``partners``, n by default: calls that name one share it.
    """
    count = len(indices)
    partners = count if partners is None else partners
    block = _make_block(loss, params, train, chunk, kind="cosine", select=None, partners=partners)
    _, pairs = compiled_scores(loss, "cosine", None, partners)
    blocks = np.split(np.arange(count), range(chunk, count, chunk))
    few = max(memory // _block_bytes(loss, params, train, chunk, partners=partners), 1)
    total = _pairs(len(blocks))

    def fill(state: State, start: int) -> State:
        """Fill in a few blocks of rows, and their mirror image."""
        matrix, left = state["matrix"], blocks[start:]
        done = total - _pairs(len(left))
        held = [(rows, block(indices[rows])) for rows in left[:few]]
        for number, columns in enumerate(left):
            of_columns = held[number][1] if number < few else block(indices[columns])
            for rows, of_rows in held[: number + 1]:
                cosines = np.asarray(pairs(of_rows, of_columns))[: len(rows), : len(columns)]
                matrix[np.ix_(rows, columns)], matrix[np.ix_(columns, rows)] = cosines, cosines.T
                on_progress(done := done + 1, total)
        return state

    state = {"matrix": np.empty((count, count), np.float64)}
    return resumable.fold("matrix", state, range(0, len(blocks), few), fill)["matrix"]


def _pairs(blocks: int) -> int:
    """Count pairs of blocks, each with itself among them."""
    return blocks * (blocks + 1) // 2


def _block_bytes(loss: LossFn, params: Params, train: Dataset, chunk: int, *, partners: int) -> int:
    """Return the size of a block's gradients in bytes."""
    make, _ = compiled_scores(loss, "cosine", None, partners)
    examples = collate(
        train, np.zeros(chunk, int), length=padded_length(train.lengths, train.padding)
    )
    leaves = jax.tree.leaves(jax.eval_shape(make, params, examples))
    return sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)


def _make_block(
    loss: LossFn,
    params: Params,
    train: Dataset,
    chunk: int,
    *,
    kind: str,
    select: Select,
    partners: int,
) -> Callable[[np.ndarray], Gradients]:
    """Build what computes the gradients of up to ``chunk`` examples, padded to one shape."""
    length = padded_length(train.lengths, train.padding)
    make, _ = compiled_scores(loss, kind, select, partners)
    params = lay_out(params)

    def block(indices: np.ndarray) -> Gradients:
        return make(params, collate_shared(train, np.resize(indices, chunk), length=length))

    return block


@memoized
def compiled_scores(
    loss: LossFn, kind: str, select: Select, partners: int
) -> tuple[Callable[..., Gradients], Callable[..., jax.Array]]:
    """Compile the gradients of a block, and the scores of two blocks."""
    make = gradients(loss, kind=kind, select=select, partners=partners)
    return jit(make, out_shardings=None), jit(score)


def read_influence_matrix(folder: Path) -> InfluenceMatrix:
    """Read all blocks that :func:`write_influence_matrix` wrote.

    Args:
      folder: Folder of the matrix.

    Returns:
      Probes and scores of all blocks, joined.

    Raises:
      UserError: There is no block, or one is damaged or missing.
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
        written = json.loads(path.read_text())
    except OSError as error:
        raise UserError(f"cannot use folder {folder}: {error.strerror}; choose another") from None
    except ValueError:
        raise UserError(f"{path} is damaged; choose another folder, or delete this one") from None
    for key, value in about.items():
        if written.get(key) != value:
            raise UserError(
                f"{path}: this matrix was begun with {key} {written.get(key)}, not {value}; choose "
                "another folder, or delete this one"
            )


def _tensors(select: Select, params: Params) -> str:
    """Name the selected tensors, in words that do not depend on how they are selected."""
    if select is None:
        return "all"
    indices = selected(select, by_path(params))
    return " ".join("/".join(path) + str(list(index) or "") for path, index in indices.items())
