"""``config.json`` of a Hugging Face folder: an architecture's configuration, and its labels."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from itune.errors import UserError
from itune.models.architecture import ModelConfig, config_value
from itune.models.files import read_json
from itune.models.other_folders import problem_with, require_no_adapter
from itune.models.registry import ARCHITECTURES, architecture_of


def load_config(folder: str | Path) -> ModelConfig:
    """Return the configuration in a model's folder.

    Args:
      folder: Folder with ``config.json``.

    Returns:
      The configuration of its architecture; ``num_labels`` is 2 where the file does not tell.

    Raises:
      UserError: There is no such file, it is not JSON, or it describes an architecture or a variant
        that is not supported.
    """
    path = Path(folder) / "config.json"
    require_no_adapter(path.parent)
    data = read_json(path)
    if "model_type" not in data and {"method", "seed", "config"} <= data.keys():
        raise UserError(
            problem_with(path.parent)
            or f"{path} is of a run, not of a model; give its folder model"
        )
    kind = config_value(data, "model_type", "", path)
    if kind not in ARCHITECTURES:
        what = f"is for model_type {kind!r}" if kind else "does not tell its model_type"
        known = ", ".join(ARCHITECTURES)
        raise UserError(f"{path} {what}, which is not supported; choose a model of {known}")
    count = len(_label_names(data, path)) or config_value(data, "num_labels", 2, path)
    try:
        config = ARCHITECTURES[kind].read_config(data, path)
    except UserError as error:
        raise UserError(_with_path(path, error)) from None
    return dataclasses.replace(config, num_labels=count)


def _with_path(path: Path, error: UserError) -> str:
    return str(error) if str(path) in str(error) else f"{path}: {error}"


def load_labels(folder: Path, config: ModelConfig) -> tuple[str, ...]:
    """Return the names of a classifier's classes, by number; ``LABEL_0`` … where it names none."""
    path = folder / "config.json"
    data = read_json(path)
    problem = data.get("problem_type")
    if problem not in (None, "single_label_classification") or config.num_labels < 2:
        what = f"problem_type {problem!r}" if problem else f"{config.num_labels} label"
        raise UserError(f"{path} has {what}; only classifiers of two classes or more are supported")
    names = _label_names(data, path) or dict(enumerate(_default_labels(config)))
    try:
        by_number = {int(number): str(name).strip() for number, name in names.items()}
        labels = tuple(by_number[number] for number in range(config.num_labels))
    except (KeyError, ValueError):
        raise UserError(
            f"{path}: id2label is not numbered from 0 to {config.num_labels - 1}; mend it"
        ) from None
    if len(set(labels)) < len(labels):
        raise UserError(f"{path}: id2label has a name twice; give every class one of its own")
    return labels


def _label_names(data: Mapping[str, Any], path: Path) -> dict[str, Any]:
    return config_value(data, "id2label", dict, path) or {}


def config_json(config: ModelConfig, labels: Sequence[str] | None) -> dict[str, Any]:
    """Return the contents of ``config.json``; labels that are None are ``LABEL_0`` and so on."""
    names = _default_labels(config) if labels is None else list(labels)
    if len(names) != config.num_labels:
        raise UserError(f"labels has {len(names)} names, but the model has {config.num_labels}")
    return {
        **architecture_of(config).write_config(config),
        "id2label": {str(number): name for number, name in enumerate(names)},
        "label2id": {name: number for number, name in enumerate(names)},
    }


def _default_labels(config: ModelConfig) -> list[str]:
    return [f"LABEL_{number}" for number in range(config.num_labels)]
