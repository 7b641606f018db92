"""Classifiers and encoders, with their tokenizer, saved in Hugging Face's layout."""

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itune.errors import UserError
from itune.models.architecture import ModelConfig
from itune.models.files import read_json
from itune.models.hf_config import config_json
from itune.models.hf_weights import Params, to_hugging_face
from itune.models.hub import SAMPLES, load_tokenizer
from itune.models.registry import architecture_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

OTHERS = ("vocab.json", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model")
"""Vocabularies of tokenizers that are saved as transformers does."""

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "special_tokens_map.json",
    "added_tokens.json",
)


def save_classifier(
    folder: str | Path,
    config: ModelConfig,
    params: Params,
    tokenizer_source: str | Path | None,
    *,
    labels: Sequence[str] | None = None,
    max_length: int | None = None,
    has_head: bool = True,
    overwrite: bool = False,
) -> None:
    """Write a folder that ``AutoModelForSequenceClassification.from_pretrained`` loads.

    The folder appears complete or not at all.

    Args:
      folder: Folder to write; absent or empty unless ``overwrite``.
      config: Configuration of the model.
      params: Parameters of the model; written as float32.
      tokenizer_source: Folder whose tokenizer files are copied; None writes no tokenizer.
      labels: Names of the classes, in order; ``LABEL_0`` and so on if None.
      max_length: Number of tokens that inputs are truncated to by whoever loads the tokenizer; that
        of the source if None.
      has_head: Whether to write the classification head as well, not the encoder alone.
      overwrite: Whether to replace a saved model that is already there.

    Raises:
      UserError: ``folder`` is taken, ``tokenizer_source`` holds no tokenizer, ``labels`` has the
        wrong length, or ``params`` does not go with ``config``.
    """
    from safetensors.numpy import save_file

    folder = Path(folder)
    _check_target(folder, overwrite)
    described = config_json(config, labels)
    if tokenizer_source is not None:
        _require_tokenizer(Path(tokenizer_source))
    tensors = to_hugging_face(params, config)
    if not has_head:
        architecture = architecture_of(config)
        tensors = {name: t for name, t in tensors.items() if not architecture.is_of_head(name)}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        new = Path(scratch) / "new"
        new.mkdir()
        (new / "config.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
        save_file(tensors, new / "model.safetensors", metadata={"format": "pt"})
        # save_file lets only the owner read it.
        shutil.copymode(new / "config.json", new / "model.safetensors")
        if tokenizer_source is not None:
            save_tokenizer(Path(tokenizer_source), new)
            _set_padding(new, architecture_of(config).padding(config))
        if max_length is not None:
            _set_values(new / "tokenizer_config.json", model_max_length=max_length)
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


def save_tokenizer(source: Path, target: Path) -> None:
    """Copy a tokenizer's files; of one that has others, let transformers write its own."""
    if _has_files_to_copy(source):
        for name in TOKENIZER_FILES:
            if (source / name).is_file():
                shutil.copyfile(source / name, target / name)
    else:
        load_tokenizer(source).save_pretrained(str(target))


def _has_files_to_copy(source: Path) -> bool:
    return any((source / name).is_file() for name in ("tokenizer.json", "vocab.txt"))


def _require_tokenizer(source: Path) -> None:
    if not _has_files_to_copy(source) and not any((source / name).is_file() for name in OTHERS):
        raise UserError(f"{source} holds neither tokenizer.json nor vocab.txt to copy")


def require_savable(source: Path, tokenizer: "PreTrainedTokenizerBase") -> None:
    """Check that a tokenizer, once saved with a model, is loaded as the same one."""
    remedy = "save it anew by AutoTokenizer.from_pretrained(folder).save_pretrained(folder)"
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copyfile(source / "config.json", Path(scratch) / "config.json")
        try:
            save_tokenizer(source, Path(scratch))
            again = load_tokenizer(scratch)
        # A slow tokenizer that cannot write its vocabulary inherits a method that raises the last.
        except (UserError, OSError, NotImplementedError) as error:
            cause = str(error).replace(scratch, "its copy")
            raise UserError(
                f"the tokenizer in {source} cannot be saved ({cause}); {remedy}"
            ) from None
    if tokenizer(SAMPLES)["input_ids"] != again(SAMPLES)["input_ids"]:
        raise UserError(f"the tokenizer in {source} is another one once saved; {remedy}")


def _set_padding(folder: Path, padding: int | None) -> None:
    """Let a tokenizer pad with the token by which the model finds the last one."""
    if padding is None or (tokenizer := load_tokenizer(folder)).pad_token_id == padding:
        return
    if padding < len(tokenizer):
        token = tokenizer.convert_ids_to_tokens(padding)
        _set_values(folder / "tokenizer_config.json", pad_token=token)


def _set_values(path: Path, **values: Any) -> None:
    known = read_json(path) if path.exists() else {}
    path.write_text(json.dumps(known | values, indent=2) + "\n", encoding="utf-8")


def _swap(new: Path, folder: Path, old: Path) -> None:
    """Rename ``new`` to ``folder``; what was there goes to ``old``, or back if that fails."""
    if folder.exists():
        os.rename(folder, old)
    try:
        os.rename(new, folder)
    except OSError:
        if old.exists():
            os.rename(old, folder)
        raise
