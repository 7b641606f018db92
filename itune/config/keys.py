"""The keys of a configuration's class, and the configuration that values of them make."""

import dataclasses
import inspect
import re
import textwrap
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar

from itune.config.kinds import Kind, make_kind
from itune.errors import UserError
from itune.utils.suggestions import hint

C = TypeVar("C")

REQUIRED = dataclasses.MISSING
"""Default of a key that has none."""

_ATTRIBUTES = re.compile(r"^Attributes:\n((?:(?:[ \t].*)?\n)*)", re.MULTILINE)
_ENTRY = re.compile(r"^(\w+)(?: \([^)]*\))?:(.*(?:\n(?:[ \t].*)?)*)", re.MULTILINE)


class Key(NamedTuple):
    """One value of a configuration.

    Attributes:
      name: Name with the sections before it, such as ``train.steps``.
    """

    name: str
    kind: Kind
    default: Any
    help: str


@cache
def attribute_help(config_type: type) -> dict[str, str]:
    """Return the entries under "Attributes:" in a class's docstring, each on one line.

    Those of base classes are included. A name may be followed by a type in parentheses, which is
    left out, as are double backticks: the text is for terminals.

    >>> from itune.config.keys import Key
    >>> attribute_help(Key)["name"]
    'Name with the sections before it, such as train.steps.'
    """
    found: dict[str, str] = {}
    for cls in reversed(config_type.__mro__):
        section = _ATTRIBUTES.search(inspect.cleandoc(cls.__dict__.get("__doc__") or "") + "\n")
        for name, text in _ENTRY.findall(textwrap.dedent(section[1]) if section else ""):
            found[name] = " ".join(text.split()).replace("``", "")
    return found


_hints = cache(typing.get_type_hints)


def fields_of(config_type: type) -> Iterator[tuple[str, Any, Any]]:
    """Yield the name, the annotation and the default of each field that is given, not computed."""
    hints = _hints(config_type)
    for field in dataclasses.fields(config_type):
        if field.init:
            factory = field.default_factory
            default = field.default if factory is dataclasses.MISSING else factory()
            yield field.name, hints[field.name], default


def keys_of(config_type: type, prefix: str = "", instance: Any = None) -> dict[str, Key]:
    """Return all keys by name, with the values of `instance`, or of the class, for defaults."""
    keys: dict[str, Key] = {}
    texts = attribute_help(config_type)
    for field, annotation, default in fields_of(config_type):
        name = prefix + field
        if instance is not None:
            default = getattr(instance, field)
        if dataclasses.is_dataclass(annotation):
            section = None if default is REQUIRED else default
            keys |= keys_of(annotation, f"{name}.", section)
        else:
            keys[name] = Key(name, make_kind(annotation), default, texts.get(field, ""))
    return keys


def changed_values(config: Any, base: Any) -> dict[str, Any]:
    """Return the values in which `config` differs from `base`, by name."""
    known = keys_of(type(base), "", base)
    keys = keys_of(type(config), "", config)
    return {name: key.default for name, key in keys.items() if key.default != known[name].default}


def checked(keys: Mapping[str, Key], mapping: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return the values of a nested mapping by name; `source` begins the messages of UserErrors."""
    if not isinstance(mapping, Mapping):
        raise UserError(f"{source}{mapping!r} is no configuration; expected a table of keys")
    parts = [name.split(".")[:-1] for name in keys]
    sections = {".".join(of[:length]) for of in parts for length in range(1, len(of) + 1)}
    values: dict[str, Any] = {}
    for name, value in _leaves(mapping, sections, ""):
        if name in sections:
            raise UserError(
                f"{source}{name} is a section, not a value; put its keys under [{name}]"
            )
        if name not in keys:
            raise UserError(f"{source}{name} is not a key; {hint(name, keys)}")
        try:
            values[name] = keys[name].kind.check(value)
        except UserError as error:  # of what no path can be
            raise UserError(f"{source}{name}: {error}") from None
        except ValueError:
            expected = keys[name].kind.expected
            raise UserError(f"{source}{name} must be {expected}, got {value!r}") from None
    return values


def _leaves(
    mapping: Mapping[str, Any], sections: set[str], prefix: str
) -> Iterator[tuple[str, Any]]:
    """Names and values; a mapping that is no section is a value."""
    for key, value in mapping.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and name in sections:
            yield from _leaves(value, sections, f"{name}.")
        else:
            yield name, value


def build(config_type: type[C], keys: Mapping[str, Key], values: Mapping[str, Any]) -> C:
    """Return the configuration that has the given values, by name, and defaults for the rest."""
    for name, key in keys.items():
        if name not in values and key.default is REQUIRED:
            raise UserError(f"{name} is not set; give --{name}, {key.kind.expected}")
    complete = {name: values.get(name, key.default) for name, key in keys.items()}
    return _construct(config_type, complete, "")


def _construct(config_type: type[C], values: Mapping[str, Any], prefix: str) -> C:
    arguments = {
        field: _construct(annotation, values, f"{prefix}{field}.")
        if dataclasses.is_dataclass(annotation)
        else values[prefix + field]
        for field, annotation, _ in fields_of(config_type)
    }
    try:
        return config_type(**arguments)
    except UserError as error:
        if not prefix:
            raise
        starts_with_key = str(error).split(" ")[0] in arguments
        raise UserError(f"{prefix if starts_with_key else prefix[:-1] + ': '}{error}") from None
