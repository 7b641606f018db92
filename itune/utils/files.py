"""Arrays on disk, and what tells them apart."""

import hashlib
import os
from pathlib import Path
from typing import Any

import jax
import numpy as np

UNFINISHED = ".unfinished"
"""Ending of a file that is being written."""


def save_arrays(path: Path, **arrays: Any) -> None:
    """Writes an ``.npz`` file, under its name once it is whole."""
    unfinished = path.with_suffix(UNFINISHED)
    with unfinished.open("wb") as file:
        np.savez(file, **arrays)
    os.replace(unfinished, path)


def digest_of(arrays: Any) -> str:
    """SHA-256 of the arrays of a tree, with their shapes and types, in hexadecimal."""
    digest = hashlib.sha256()
    for array in map(np.asarray, jax.tree.leaves(arrays)):
        digest.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()
