"""Files of a Hugging Face folder: JSON, and weights from safetensors, never from pickles."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from itune.errors import UserError
from itune.models.other_folders import problem_with

_POINTER = b"version https://git-lfs"


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file of a model's folder."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            problem_with(path.parent)
            or f"{path} does not exist; give a folder with config.json, model.safetensors and the "
            "tokenizer's files"
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {_one_line(error)}") from error
    if not isinstance(data, dict):
        raise UserError(f"{path} is not a JSON object")
    return data


def read_tensors(folder: Path) -> dict[str, np.ndarray]:
    """Return all weights in a model's folder, by their names in its files.

    They are in ``model.safetensors``, or in the files that its index lists.
    """
    if (single := folder / "model.safetensors").is_file():
        return _read_safetensors(single)
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        raise UserError(
            problem_with(folder)
            or f"{folder} holds no model.safetensors; save the model by save_pretrained(folder)"
        )
    shards = read_json(index).get("weight_map")
    if not isinstance(shards, dict) or not all(
        isinstance(shard, str) and Path(shard).name == shard for shard in shards.values()
    ):
        raise UserError(f"{index} has no valid weight_map; download it again")
    tensors: dict[str, np.ndarray] = {}
    for shard in sorted(set(shards.values())):
        if not (folder / shard).is_file():
            raise UserError(f"{folder} lacks {shard}, which {index.name} lists; download it again")
        tensors |= _read_safetensors(folder / shard)
    return tensors


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    with path.open("rb") as file:
        if file.read(len(_POINTER)) == _POINTER:
            raise UserError(
                f"{path} is a pointer of Git LFS, not the file; fetch it by git lfs pull"
            )
    try:
        return load_file(path)
    except (SafetensorError, OSError, KeyError) as error:
        raise UserError(
            f"cannot read {path} ({_one_line(error)}); the file may be truncated: get it again"
        ) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
