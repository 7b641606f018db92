"""A finetuned classifier out of a Hugging Face folder, by whomever it was written."""

from pathlib import Path
from typing import NamedTuple

import jax

from itune.errors import UserError, as_folder
from itune.models.bert import BertConfig
from itune.models.folder import load_config, read_json, read_tensors
from itune.models.hf_weights import Params, from_hugging_face

_HEAD = {"classifier.weight": "classification head", "bert.pooler.dense.weight": "pooler"}
"""Tensors that an encoder without a classifier lacks, and what they belong to."""


class TrainedClassifier(NamedTuple):
    """A classifier as it was saved.

    Attributes:
        config: Its sizes.
        params: Its parameters.
        labels: What its classes are called, by number.
    """

    config: BertConfig
    params: Params
    labels: tuple[str, ...]


def model_folder(folder: str | Path) -> Path:
    """The folder of a model itself, or the folder ``model`` in that of a run.

    Raises:
        UserError: It is neither text nor a path.
    """
    folder = as_folder(folder, "model")
    inner = folder / "model"
    return inner if (inner / "config.json").is_file() else folder


def find_model(folder: str | Path) -> Path:
    """The folder of a model, as :func:`model_folder`, once there is one.

    Raises:
        UserError: There is no such folder, or it holds no model.
    """
    folder = model_folder(folder)
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise UserError(f"{folder} {what}; give the folder of a finetuned classifier")
    if not (folder / "config.json").is_file():
        raise UserError(
            f"{folder} holds no model (no config.json); give the folder of a finetuned classifier"
        )
    return folder


def load_classifier(folder: str | Path) -> TrainedClassifier:
    """Loads a ``BertForSequenceClassification``; nothing in it is drawn anew.

    Args:
        folder: Holds ``config.json`` and ``model.safetensors`` (or its shards and their index), or
            such a folder called ``model``.

    Raises:
        UserError: No such folder; another architecture or kind of task; weights that are missing,
            corrupt, or not in safetensors; no classification head.
    """
    folder = find_model(folder)
    config = load_config(folder)
    labels = _labels(folder, config)
    tensors = read_tensors(folder)
    for name, part in _HEAD.items():
        if not {name, name.removeprefix("bert.")} & tensors.keys():
            raise UserError(
                f"{folder} is an encoder without a {part} (tensor {name!r}), and so no classifier; "
                "finetune it first, with itune tune or another tool"
            )
    try:
        params = from_hugging_face(tensors, config, jax.random.key(0))
    except UserError as error:
        raise UserError(f"{folder}: {error}") from None
    return TrainedClassifier(config, params, labels)


def _labels(folder: Path, config: BertConfig) -> tuple[str, ...]:
    """Names of the classes in ``config.json``; Hugging Face's own where it does not tell."""
    path = folder / "config.json"
    data = read_json(path)
    problem = data.get("problem_type")
    if problem not in (None, "single_label_classification") or config.num_labels < 2:
        what = f"problem_type {problem!r}" if problem else f"{config.num_labels} label"
        raise UserError(f"{path} has {what}; only classifiers of two classes or more are supported")
    names = data.get("id2label") or {str(i): f"LABEL_{i}" for i in range(config.num_labels)}
    try:
        by_number = {int(number): str(name).strip() for number, name in names.items()}
        found = tuple(by_number[number] for number in range(config.num_labels))
    except (AttributeError, KeyError, ValueError):
        raise UserError(
            f"{path}: id2label is not numbered from 0 to {config.num_labels - 1}; mend it"
        ) from None
    if len(set(found)) < len(found):
        raise UserError(f"{path}: id2label has a name twice; give every class one of its own")
    return found
