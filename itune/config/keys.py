"""From a configuration's class to its keys, and from values of these to a configuration."""

import dataclasses
import inspect
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from itune.config.kinds import Kind, make_kind
from itune.errors import UserError
from itune.utils.suggestions import hint

C = TypeVar("C")

REQUIRED = dataclasses.MISSING


class Key(NamedTuple):
    """One value of a configuration.

    Attributes:
      name: with its sections, such as ``train.steps``.
      kind: what values it takes.
      default: ``dataclasses.MISSING`` where the configuration has none.
      help: what the docstring says about it.
    """

    name: str
    kind: Kind
    default: Any
    help: str


def attribute_help(config_type: type) -> dict[str, str]:
    """Return what the "Attributes:" of a class's docstring say, by name, each on one line.

    Base classes count as well. A name may be followed by its type in parentheses. Double backticks
    are dropped: this is for terminals.

    >>> from itune.corpora import TextLenConfig
    >>> attribute_help(TextLenConfig)["train_size"]
    'number of training examples.'
    """
    found: dict[str, str] = {}
    for cls in reversed(config_type.__mro__):
        lines = iter(inspect.cleandoc(cls.__dict__.get("__doc__") or "").splitlines())
        indent = name = None
        for line in lines:
            if indent is None and line.rstrip() != "Attributes:":
                continue
            depth = len(line) - len(line.lstrip())
            if indent is None:
                indent = 0
            elif not line.strip():
                continue
            elif depth == 0:
                break
            else:
                indent = indent or depth
                entry = re.match(r"(\w+)(?: \([^)]*\))?:\s*(.*)", line.strip())
                if depth == indent and entry:
                    name, found[entry[1]] = entry[1], entry[2]
                elif name:
                    found[name] = f"{found[name]} {line.strip()}".strip()
    return {name: text.replace("``", "") for name, text in found.items()}


def fields_of(config_type: type) -> Iterator[dataclasses.Field]:
    """The fields that are given, not computed."""
    return (field for field in dataclasses.fields(config_type) if field.init)


def keys_of(config_type: type, prefix: str = "", instance: Any = None) -> dict[str, Key]:
    """Every key by name; defaults are those of `instance`, or those of the class."""
    keys: dict[str, Key] = {}
    hints = typing.get_type_hints(config_type)
    told = attribute_help(config_type)
    for field in fields_of(config_type):
        name, annotation = prefix + field.name, hints[field.name]
        default = field.default
        if instance is not None:
            default = getattr(instance, field.name)
        elif field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if dataclasses.is_dataclass(annotation):
            section = None if default is REQUIRED else default
            keys |= keys_of(annotation, f"{name}.", section)
        else:
            keys[name] = Key(name, make_kind(annotation), default, told.get(field.name, ""))
    return keys


def changed_values(config: Any, base: Any) -> dict[str, Any]:
    """The values of `config` that `base` has not, by name."""
    known = keys_of(type(base), "", base)
    keys = keys_of(type(config), "", config)
    return {name: key.default for name, key in keys.items() if key.default != known[name].default}


def checked(keys: Mapping[str, Key], mapping: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The values of a mapping by name; `source` goes before what is wrong with them."""
    if not isinstance(mapping, Mapping):
        raise UserError(f"{source}{mapping!r} is no configuration; expected a table of keys")
    values = {}
    for name, value in _flatten(mapping, _sections(keys), ""):
        if name not in keys:
            what = "a section, not a value" if name in _sections(keys) else "not a key"
            remedy = f"put its keys under [{name}]" if name in _sections(keys) else hint(name, keys)
            raise UserError(f"{source}{name} is {what}; {remedy}")
        try:
            values[name] = keys[name].kind.check(value)
        except ValueError:
            expected = keys[name].kind.expected
            raise UserError(f"{source}{name} is {value!r}; expected {expected}") from None
    return values


def _sections(keys):
    names = [name.split(".")[:-1] for name in keys]
    return {".".join(parts[:n]) for parts in names for n in range(1, len(parts) + 1)}


def _flatten(mapping, sections, prefix):
    """Names and values of nested mappings; those that are no section stay as they are."""
    for key, value in mapping.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and name in sections:
            yield from _flatten(value, sections, f"{name}.")
        else:
            yield name, value


def build(config_type: type[C], keys: Mapping[str, Key], values: Mapping[str, Any]) -> C:
    """The configuration of the values, and of defaults for the rest."""
    for name, key in keys.items():
        if name not in values and key.default is REQUIRED:
            raise UserError(f"{name} is not set; give --{name}, {key.kind.expected}")
    complete = {name: values.get(name, key.default) for name, key in keys.items()}
    return _construct(config_type, complete, "")


def _construct(config_type, values, prefix):
    hints = typing.get_type_hints(config_type)
    arguments = {}
    for field in fields_of(config_type):
        name, annotation = prefix + field.name, hints[field.name]
        is_section = dataclasses.is_dataclass(annotation)
        arguments[field.name] = (
            _construct(annotation, values, f"{name}.") if is_section else values[name]
        )
    try:
        return config_type(**arguments)
    except UserError as error:
        if not prefix:
            raise
        starts_with_key = str(error).split(" ")[0] in arguments
        raise UserError(f"{prefix if starts_with_key else prefix[:-1] + ': '}{error}") from None
