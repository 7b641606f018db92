"""Folders that hold something else than a model this library reads: what, and the remedy."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from itune.errors import UserError

ADAPTER = "adapter_config.json"

_CONVERT = (
    "convert them by from_pretrained and save_pretrained of AutoModelForSequenceClassification, or "
    "of AutoModel for an encoder, "
)
_TAKE_SAFETENSORS = "take the model that it was made from, in safetensors"

# Files, what is not read, and what to do about it: the first that fits.
_WEIGHTS = (
    (("pytorch_model*.bin",), "pickled weights", f"{_CONVERT}where torch is installed"),
    (
        ("tf_model*.h5", "tf_model*.index.json"),
        "weights of TensorFlow",
        f"{_CONVERT}with from_tf=True, which transformers 4 can",
    ),
    (
        ("flax_model*.msgpack",),
        "weights of transformers in Flax",
        f"{_CONVERT}with from_flax=True, which transformers 4 can",
    ),
    (("*.gguf",), "models in GGUF", _TAKE_SAFETENSORS),
    (("*.onnx", "onnx/*.onnx"), "models in ONNX", _TAKE_SAFETENSORS),
)


def require_no_adapter(folder: Path) -> None:
    """Refuse an adapter, also beside whole weights, which alone are another model."""
    if (folder / ADAPTER).is_file():
        raise UserError(
            f"{folder} holds a PEFT adapter ({ADAPTER}), not a whole model; where peft is "
            "installed, merge it by AutoPeftModelForSequenceClassification.from_pretrained(folder)"
            ".merge_and_unload().save_pretrained(other), save the tokenizer there too, and give it"
        )


def missing_weights(place: Path | str, files: Sequence[str]) -> str | None:
    """Return what weights a folder, or a model of the hub, has of another kind; None if none."""
    if any(fnmatchcase(file, "model*.safetensors*") for file in files):
        return None
    for patterns, what, remedy in _WEIGHTS:
        names = sorted(file for pattern in patterns for file in files if fnmatchcase(file, pattern))
        if names:
            return (
                f"{place} holds no model.safetensors (only {names[0]}); {what} are not read: "
                f"{remedy}"
            )
    return None


def problem_with(folder: Path) -> str | None:
    """Return why a folder without a configuration or weights holds no model; None if unknown."""
    weights = sorted(path.name for path in folder.glob("model*.safetensors*"))
    if weights and not (folder / "config.json").is_file():
        return f"{folder} holds {weights[0]} without config.json; add that of its model"
    paths = [*folder.glob("*"), *folder.glob("onnx/*")]
    files = [path.relative_to(folder).as_posix() for path in paths]
    if problem := missing_weights(folder, files):
        return problem
    inner = sorted(path.parent for path in folder.glob("*/config.json"))
    if checkpoints := [path for path in inner if path.name.startswith("checkpoint-")]:
        newest = max(checkpoints, key=lambda path: (len(path.name), path.name))
        return f"{folder} holds checkpoints of a Trainer; give one of them, such as {newest}"
    if (folder / "modules.json").is_file() and inner:
        return f"{folder} is of sentence-transformers, with its encoder inside; give {inner[0]}"
    if (folder / "result.json").is_file() or (folder / "metrics.jsonl").is_file():
        return f"{folder} holds a run that has saved no model yet; go on with it by resuming"
    if any((path / "result.json").is_file() for path in inner):
        return f"{folder} holds several runs; give one of them, such as {inner[0]}"
    if any((folder / name).is_file() for name in ("tokenizer.json", "vocab.txt", "vocab.json")):
        return (
            f"{folder} holds a tokenizer without a model; add config.json and model.safetensors of "
            "its model, or give a folder that has all of them"
        )
    return None
