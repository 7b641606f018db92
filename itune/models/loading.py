"""Encoders and finetuned classifiers out of Hugging Face folders, by whomever they were written."""

import dataclasses
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from itune.errors import UserError, as_folder
from itune.models.architecture import ModelConfig
from itune.models.files import read_tensors
from itune.models.hf_config import load_config, load_labels
from itune.models.hf_weights import Params, from_hugging_face, has_layer
from itune.models.other_folders import problem_with, require_no_adapter
from itune.models.registry import architecture_of


class TrainedClassifier(NamedTuple):
    """A classifier as it was saved.

    Attributes:
      config: Configuration of its architecture.
      params: Its parameters.
      labels: Names of its classes, by number.
    """

    config: ModelConfig
    params: Params
    labels: tuple[str, ...]


def load_encoder(
    folder: str | Path, num_labels: int, key: jax.Array, *, new_head: bool = False
) -> tuple[ModelConfig, Params]:
    """Load an encoder, with its classification head if it has one and a new one if not.

    Args:
      folder: Folder with ``config.json`` and ``model.safetensors`` (or its shards and their index).
      num_labels: Number of classes of the classifier.
      key: Random key of a new head.
      new_head: Whether to draw a new head even where the folder has one.

    Returns:
      Configuration and parameters of the classifier.

    Raises:
      UserError: The folder holds no model of a supported architecture; weights are missing, left
        over, corrupt or not in safetensors; or the head has another number of classes.
    """
    folder = Path(folder)
    config = dataclasses.replace(load_config(folder), num_labels=num_labels)
    tensors = read_tensors(folder)
    if new_head:
        architecture = architecture_of(config)
        tensors = {
            name: tensor
            for name, tensor in tensors.items()
            if not architecture.is_of_head(architecture.canonical_name(name) or "")
        }
    return config, _arranged(folder, tensors, config, key)


def has_head(folder: str | Path) -> bool:
    """Return whether the weights in a model's folder hold a classification head.

    Raises:
      UserError: The folder holds no model of a supported architecture, or weights are missing,
        corrupt or not in safetensors.
    """
    config = load_config(folder)
    return has_layer(read_tensors(Path(folder)), config, architecture_of(config).head)


def model_folder(folder: str | Path) -> Path:
    """Return the folder of a model itself, or the folder ``model`` in that of a run.

    Raises:
      UserError: It is neither text nor a path.
    """
    folder = as_folder(folder, "model")
    inner = folder / "model"
    return inner if (inner / "config.json").is_file() else folder


def find_model(folder: str | Path) -> Path:
    """Return the existing folder of a model, or the folder ``model`` in that of a run.

    Raises:
      UserError: There is no such folder, or it holds no model.
    """
    folder = model_folder(folder)
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise UserError(f"{folder} {what}; give the folder of a finetuned classifier")
    if not (folder / "config.json").is_file():
        require_no_adapter(folder)
        raise UserError(
            problem_with(folder)
            or f"{folder} holds no model (no config.json); give the folder of a finetuned "
            "classifier"
        )
    return folder


def load_classifier(folder: str | Path) -> TrainedClassifier:
    """Load a finetuned classifier; no layer of it is drawn anew.

    Args:
      folder: Folder with ``config.json`` and ``model.safetensors`` (or its shards and their index),
        or the folder above such a folder called ``model``.

    Raises:
      UserError: There is no such folder; the architecture or kind of task is not supported; weights
        are missing, corrupt, or not in safetensors; or there is no classification head.
    """
    folder = find_model(folder)
    config = load_config(folder)
    labels = load_labels(folder, config)
    tensors = read_tensors(folder)
    architecture = architecture_of(config)
    for layer, what in reversed(architecture.new_layers.items()):
        if not has_layer(tensors, config, layer):
            name = architecture.saved_name(f"{layer}.weight")
            raise UserError(
                f"{folder} is an encoder without a {what} (tensor {name!r}), and so no classifier; "
                "finetune it first, with itune or another tool"
            )
    return TrainedClassifier(config, _arranged(folder, tensors, config, jax.random.key(0)), labels)


def _arranged(
    folder: Path, tensors: dict[str, np.ndarray], config: ModelConfig, key: jax.Array
) -> Params:
    try:
        return from_hugging_face(tensors, config, key)
    except UserError as error:
        raise UserError(f"{folder}: {error}") from None
