"""Folders of a Hugging Face BERT: config.json, weights and tokenizer files, read and written.

Weights are read from safetensors only, never from pickles.
"""

import dataclasses
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from itune.errors import UserError
from itune.models.bert import BertConfig
from itune.models.hf_weights import Params, from_hugging_face, to_hugging_face

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "special_tokens_map.json",
    "added_tokens.json",
)

HEAD = ("classifier.weight", "classifier.bias")
"""Tensors of the classification head."""

# BertConfig field -> (key in config.json, value where the file leaves it out)
_CONFIG = {
    "vocab_size": ("vocab_size", 30522),
    "hidden_size": ("hidden_size", 768),
    "num_layers": ("num_hidden_layers", 12),
    "num_heads": ("num_attention_heads", 12),
    "intermediate_size": ("intermediate_size", 3072),
    "max_positions": ("max_position_embeddings", 512),
    "type_vocab_size": ("type_vocab_size", 2),
    "layer_norm_eps": ("layer_norm_eps", 1e-12),
    "hidden_dropout": ("hidden_dropout_prob", 0.1),
    "attention_dropout": ("attention_probs_dropout_prob", 0.1),
    "hidden_act": ("hidden_act", "gelu"),
}


def load_config(folder: str | Path) -> BertConfig:
    """Reads ``config.json`` of a Hugging Face BERT.

    Args:
        folder: Holds ``config.json``.

    Returns:
        Its configuration; ``num_labels`` is 2 where the file does not tell.

    Raises:
        UserError: No such file, not JSON, not a BERT encoder, or a variant that is not supported.
    """
    path = Path(folder) / "config.json"
    data = read_json(path)
    kind = data.get("model_type")
    if kind != "bert":
        what = f"is for model_type {kind!r}" if kind else "does not tell its model_type"
        raise UserError(f'{path} {what}; only "bert" is supported, so choose a BERT model')
    if (position := data.get("position_embedding_type", "absolute")) != "absolute":
        raise UserError(
            f'{path} has position_embedding_type {position!r}; only "absolute" is supported'
        )
    if data.get("is_decoder"):
        raise UserError(f"{path} describes a decoder (is_decoder); only encoders are supported")
    fields: dict[str, Any] = {}
    for field, (name, default) in _CONFIG.items():
        fields[field] = _checked(data.get(name, default), default, name, path)
    if (rate := data.get("classifier_dropout")) is not None:
        fields["classifier_dropout"] = _checked(rate, 0.1, "classifier_dropout", path)
    count = _checked(data.get("num_labels", 2), 2, "num_labels", path)
    fields["num_labels"] = len(data.get("id2label") or range(count))
    try:
        return BertConfig(**fields)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _checked(value, default, name, path):
    """``value`` as the type of ``default``: int, float or str."""
    accepted = (int, float) if isinstance(default, float) else type(default)
    if isinstance(value, bool) or not isinstance(value, accepted):
        kind = {int: "an integer", float: "a number", str: "a string"}[type(default)]
        raise UserError(f"{path}: {name} is {value!r}, not {kind}")
    return type(default)(value)


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object out of an encoder's folder.

    Raises:
        UserError: No such file, not JSON, or no object.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{path} does not exist; give a folder with config.json, model.safetensors and the "
            "tokenizer's files"
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {_one_line(error)}") from error
    if not isinstance(data, dict):
        raise UserError(f"{path} is not a JSON object")
    return data


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def load_encoder(
    folder: str | Path, num_labels: int, key: jax.Array, *, new_head: bool = False
) -> tuple[BertConfig, Params]:
    """Loads a BERT encoder, with its classifier if it has one.

    Args:
        folder: Holds ``config.json`` and ``model.safetensors`` (or its shards and their index).
        num_labels: Classes of the classifier.
        key: Random key for a new classifier, see :func:`from_hugging_face`.
        new_head: Draw a new one even where the folder has one.

    Returns:
        Configuration and parameters for a ``BertClassifier``.

    Raises:
        UserError: See :func:`load_config` and :func:`from_hugging_face`; or weights are missing,
            corrupt, or not in safetensors.
    """
    folder = Path(folder)
    config = dataclasses.replace(load_config(folder), num_labels=num_labels)
    tensors = read_tensors(folder)
    if new_head:
        tensors = {name: value for name, value in tensors.items() if name not in HEAD}
    try:
        return config, from_hugging_face(tensors, config, key)
    except UserError as error:
        raise UserError(f"{folder}: {error}") from None


def has_head(folder: str | Path) -> bool:
    """Whether a folder's weights hold a classification head.

    Raises:
        UserError: See :func:`load_encoder`.
    """
    return HEAD[0] in read_tensors(Path(folder))


def read_tensors(folder: Path) -> dict[str, np.ndarray]:
    """Reads all weights in an encoder's folder, by the names in its files.

    Raises:
        UserError: They are missing, corrupt, or not in safetensors.
    """
    if (single := folder / "model.safetensors").is_file():
        return _read_safetensors(single)
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        pickled = " (only pytorch_model.bin)" if any(folder.glob("pytorch_model*.bin")) else ""
        raise UserError(
            f"{folder} holds no model.safetensors{pickled}; pickled weights are not read: where "
            "torch is installed, convert them with AutoModel.from_pretrained(folder)"
            ".save_pretrained(folder)"
        )
    shards = read_json(index).get("weight_map")
    if not isinstance(shards, dict) or not all(
        isinstance(shard, str) and Path(shard).name == shard for shard in shards.values()
    ):
        raise UserError(f"{index} has no valid weight_map")
    tensors: dict[str, np.ndarray] = {}
    for shard in sorted(set(shards.values())):
        if not (folder / shard).is_file():
            raise UserError(f"{folder} lacks {shard}, which {index.name} lists; download it again")
        tensors |= _read_safetensors(folder / shard)
    return tensors


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, KeyError) as error:
        raise UserError(
            f"cannot read {path} ({_one_line(error)}); the file may be truncated: get it again"
        ) from error


def save_classifier(
    folder: str | Path,
    config: BertConfig,
    params: Params,
    tokenizer_source: str | Path | None,
    *,
    labels: Sequence[str] | None = None,
    max_length: int | None = None,
    has_head: bool = True,
    overwrite: bool = False,
) -> None:
    """Writes a folder that ``BertForSequenceClassification.from_pretrained`` loads.

    The folder appears complete or not at all.

    Args:
        folder: Where to write; must be absent or empty unless ``overwrite``.
        config: The model's configuration.
        params: The model's parameters; written as float32.
        tokenizer_source: Folder whose tokenizer files are copied; None writes no tokenizer.
        labels: Names of the classes, in order; ``LABEL_0`` and so on if None.
        max_length: Tokens that whoever loads the tokenizer should cut to; the source's own
            limit if None.
        has_head: Write the classification head as well, not the encoder alone.
        overwrite: Replace a saved model that is already there.

    Raises:
        UserError: ``folder`` is taken, ``tokenizer_source`` holds no tokenizer, ``labels`` is of
            the wrong length, or ``params`` and ``config`` disagree.
    """
    from safetensors.numpy import save_file

    folder = Path(folder)
    _check_target(folder, overwrite)
    described = _describe(config, labels)
    tokenizer = [] if tokenizer_source is None else _tokenizer_files(Path(tokenizer_source))
    tensors = to_hugging_face(params, config)
    if not has_head:
        tensors = {name: t for name, t in tensors.items() if not name.startswith("classifier.")}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        new = Path(scratch) / "new"
        new.mkdir()
        (new / "config.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
        save_file(tensors, new / "model.safetensors", metadata={"format": "pt"})
        # It is written for its owner only; readable by whoever may read the rest.
        shutil.copymode(new / "config.json", new / "model.safetensors")
        for source in tokenizer:
            shutil.copyfile(source, new / source.name)
        if max_length is not None:
            _set_max_length(new / "tokenizer_config.json", max_length)
        _swap(new, folder, Path(scratch) / "old")


def _check_target(folder: Path, overwrite: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; give a folder to save the model in")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not overwrite:
        raise UserError(f"{folder} is not empty; choose another folder or pass overwrite=True")
    if not (folder / "config.json").is_file():
        raise UserError(
            f"{folder} is not empty and holds no config.json, so it is no saved model and is not "
            "overwritten; choose another folder"
        )


def _describe(config: BertConfig, labels: Sequence[str] | None) -> dict[str, Any]:
    """The contents of ``config.json``."""
    names = [f"LABEL_{i}" for i in range(config.num_labels)] if labels is None else list(labels)
    if len(names) != config.num_labels:
        raise UserError(f"labels has {len(names)} names, but the model has {config.num_labels}")
    return {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        **{name: getattr(config, field) for field, (name, _) in _CONFIG.items()},
        "classifier_dropout": config.classifier_dropout,
        "position_embedding_type": "absolute",
        "pad_token_id": 0,
        "id2label": {str(i): name for i, name in enumerate(names)},
        "label2id": {name: i for i, name in enumerate(names)},
    }


def _tokenizer_files(source: Path) -> list[Path]:
    files = [source / name for name in TOKENIZER_FILES if (source / name).is_file()]
    if not {"tokenizer.json", "vocab.txt"} & {file.name for file in files}:
        raise UserError(f"{source} holds neither tokenizer.json nor vocab.txt to copy")
    return files


def _set_max_length(path: Path, max_length: int) -> None:
    known = read_json(path) if path.exists() else {}
    known["model_max_length"] = max_length
    path.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


def _swap(new: Path, folder: Path, old: Path) -> None:
    """Renames ``new`` to ``folder``; what was there goes to ``old``, or back if that fails."""
    if folder.exists():
        os.rename(folder, old)
    try:
        os.rename(new, folder)
    except OSError:
        if old.exists():
            os.rename(old, folder)
        raise
