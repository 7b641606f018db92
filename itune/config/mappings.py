"""Configurations as nested dicts, and as presets."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from itune.config.keys import build, changed_values, checked, fields_of, keys_of
from itune.errors import UserError

C = TypeVar("C")


def replaced(config: C, values: Mapping[str, Any]) -> C:
    """Return a configuration with some of its values replaced.

    Args:
      config: The configuration; it is not changed.
      values: New values by name, such as ``train.steps``, as JSON or TOML would hold them.

    Raises:
      UserError: There is no such key, or a value is refused.

    >>> from itune.corpora import TextLenConfig
    >>> replaced(TextLenConfig(dev_size=3), {"train_size": 40}).train_size
    40
    """
    keys = keys_of(type(config), "", config)
    return build(type(config), keys, checked(keys, values, ""))


def narrowed(config: Any, base: type[C]) -> C:
    """Return the configuration of a base class that a configuration has beside its own fields.

    Args:
      config: A configuration; it is not changed.
      base: A base class of its class.
    """
    return base(**{name: getattr(config, name) for name, _, _ in fields_of(base)})


def to_dict(config: Any) -> dict[str, Any]:
    """Return a configuration as nested dicts of what JSON can hold.

    >>> from itune.corpora import TextLenConfig
    >>> to_dict(TextLenConfig())["prefixes"]
    ['Negative .', 'Positive .']
    """
    return {name: _as_json(getattr(config, name)) for name, _, _ in fields_of(type(config))}


def from_dict(config_type: type[C], mapping: Mapping[str, Any], *, source: str = "") -> C:
    """Return the configuration that :func:`to_dict` wrote; what is missing has its default.

    Args:
      config_type: A frozen dataclass.
      mapping: Nested mappings of values, from JSON or TOML.
      source: Where they come from, such as the name of a file; messages of errors begin with it.

    Raises:
      UserError: There is no such key, a value is refused, or a required one is missing.

    >>> from itune.corpora import TextLenConfig
    >>> from_dict(TextLenConfig, {"train_size": 40}).train_size
    40
    >>> from_dict(TextLenConfig, {"train_sise": 40})
    Traceback (most recent call last):
    itune.errors.UserError: train_sise is not a key; did you mean train_size?
    """
    prefix = f"{source}: " if source else ""
    keys = keys_of(config_type)
    values = checked(keys, mapping, prefix)
    try:
        return build(config_type, keys, values)
    except UserError as error:
        raise UserError(f"{prefix}{error}") from None


def flattened(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, with dotted keys that begin with ``prefix``.

    >>> flattened({"seed": 1, "train": {"steps": 2}})
    {'seed': 1, 'train.steps': 2}
    """
    values: dict[str, Any] = {}
    for key, value in tree.items():
        is_inner = isinstance(value, Mapping)
        values |= flattened(value, f"{prefix}{key}.") if is_inner else {f"{prefix}{key}": value}
    return values


def to_toml(config: Any) -> str:
    """Return a preset: the values that are not the defaults of the class, in TOML.

    Every key of the class must have a default.

    >>> from itune.corpora.tasks import DataConfig
    >>> from itune.corpora import TextLenConfig
    >>> print(to_toml(DataConfig(source="hub", textlen=TextLenConfig(train_size=40))))
    source = "hub"
    <BLANKLINE>
    [textlen]
    train_size = 40
    """
    sections: dict[str, list[str]] = {"": []}
    for name, value in changed_values(config, type(config)()).items():
        section, _, key = name.rpartition(".")
        text = json.dumps("none" if value is None else _as_json(value), ensure_ascii=False)
        text = text.replace("\x7f", "\\u007f")  # which JSON has as it stands, and TOML has not
        sections.setdefault(section, []).append(f"{key} = {text}")
    blocks = ([f"[{name}]", *lines] if name else lines for name, lines in sections.items())
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def _as_json(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_dict(value)
    if isinstance(value, tuple):
        return [_as_json(item) for item in value]
    return str(value) if isinstance(value, Path) else value
