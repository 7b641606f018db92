"""Files that appear whole or not at all, and digests of arrays."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from itune.errors import UserError

UNFINISHED = ".unfinished"
"""Ending of a file that is being written; it follows the file's own name."""


@contextlib.contextmanager
def write_atomically(*paths: Path, hint: str | None = None) -> Iterator[list[Path]]:
    """Give temporary paths to write to, and rename them to `paths` once all of them are complete.

    Readers find the previous file or the new one, never a part of either. A block that fails or is
    interrupted leaves `paths` as they were and no temporary file; a process that is killed may
    leave files that end in :data:`UNFINISHED`. The folders must exist when the block writes. With
    a `hint`, which says what to do, an OSError becomes a UserError.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "numbers.txt"
    ...     with write_atomically(path) as (temporary,):
    ...         _ = temporary.write_text("1 2 3")
    ...     path.read_text()
    '1 2 3'
    """
    unfinished = [path.with_name(path.name + UNFINISHED) for path in paths]
    try:
        yield unfinished
        for temporary, path in zip(unfinished, paths, strict=True):
            os.replace(temporary, path)
    except BaseException as error:
        for temporary in unfinished:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        if hint is None or not isinstance(error, OSError):
            raise
        target = paths[0] if len(paths) == 1 else f"to {paths[0].parent}"
        raise UserError(f"cannot write {target}: {error.strerror}; {hint}") from None


def save_arrays(path: Path, **arrays: Any) -> None:
    """Write arrays by name to an ``.npz`` file, which appears whole or not at all."""
    with write_atomically(path) as (temporary,), temporary.open("wb") as file:
        np.savez(file, **arrays)


def digest_of(arrays: Any) -> str:
    """Return the SHA-256 of the arrays of a pytree, their shapes and dtypes, in hexadecimal."""
    import jax

    digest = hashlib.sha256()
    for array in map(np.asarray, jax.tree.leaves(arrays)):
        digest.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()
