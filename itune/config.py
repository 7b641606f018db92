"""Typed configurations: nested frozen dataclasses, filled by presets and a command line.

A configuration is a frozen dataclass whose fields are values or further such dataclasses, its
sections. ``train.steps`` names the field ``steps`` of the section ``train``: in a preset it stands
under ``[train]``, on the command line it is ``--train.steps``. What a field means is told by the
"Attributes:" of its class's docstring, which ``--help`` prints.
The types a value can have are listed in :mod:`itune.kinds`.
"""

import argparse
import dataclasses
import inspect
import json
import re
import shlex
import textwrap
import tomllib
import typing
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from itune.cli import Parser, hint
from itune.errors import UserError
from itune.kinds import Kind, make_kind

C = TypeVar("C")

_REQUIRED = dataclasses.MISSING


class _Key(NamedTuple):
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


def parse(
    config_type: type[C],
    presets: Path | None,
    argv: Sequence[str],
    *,
    prog: str,
    description: str,
    default_preset: str | None = None,
    positionals: Mapping[str, str] = MappingProxyType({}),
    scaled: Collection[str] = (),
) -> C:
    """Return the configuration that a command line asks for.

    A value comes from the command line, else from the preset, else it is the default of its field.
    ``--train.steps 3`` is ``--steps 3`` for short if no other key ends in ``steps``, and an option
    that is true or false may stand alone for true. ``--help`` prints every value, as the preset has
    it that is in effect, and every preset with the first comment line of its file, and leaves.

    Args:
      config_type: the frozen dataclass.
      presets: folder of ``NAME.toml``; other files in it are ignored. None where there are none.
      argv: the arguments.
      prog: name of the command, for ``--help``.
      description: what the command does, for ``--help``.
      default_preset: taken where no ``--preset`` is given; None for the defaults alone.
      positionals: keys whose values may stand without their options, in this order, each by what
        ``--help`` calls it, such as ``TABLE``.
      scaled: keys whose values, where they are not given, will follow from the data; ``--help``
        says so.

    Raises:
      UserError: an unknown preset or key, a value of the wrong type, a value that is missing, or
        whatever the dataclasses refuse. The message names the key, the value and what is expected.
    """
    keys = _keys(config_type)
    words = _spelt_out(_normalised(argv), keys)
    preset = _preset_in_effect(words, presets, default_preset)
    values = {}
    if preset is not None:
        path = _preset_path(presets, preset)
        values |= _checked(keys, _read_toml(path), f"{path}: ")
    parser = _make_parser(prog, description, presets, default_preset)
    _add_options(parser, config_type, keys, _values_in_words(keys, preset, values, scaled), "")
    _add_positionals(parser, positionals)
    given = vars(parser.parse_args(words))
    given.pop("preset", None)
    for name, text in given.items():
        values[name] = _read(keys[name], text)
    return _build(config_type, keys, values)


def given_values(config_type: type, argv: Sequence[str]) -> dict[str, Any]:
    """Return the values that a command line itself gives, by name, as :func:`parse` reads them.

    >>> from itune.data import TextLenConfig
    >>> given_values(TextLenConfig, ["--train_size", "40"])
    {'train_size': 40}
    """
    keys = _keys(config_type)
    parser = _make_parser("", "", None, None)
    _add_options(parser, config_type, keys, dict.fromkeys(keys, ""), "")
    words = parser.parse_known_args(_spelt_out(_normalised(argv), keys))[0]
    return {name: _read(keys[name], text) for name, text in vars(words).items()}


def replaced(config: C, values: Mapping[str, Any]) -> C:
    """Return a configuration with some of its values replaced, by name.

    Raises:
      UserError: as :func:`parse`.

    >>> from itune.data import TextLenConfig
    >>> replaced(TextLenConfig(dev_size=3), {"train_size": 40}).train_size
    40
    """
    keys = _keys(type(config), "", config)
    return _build(type(config), keys, _checked(keys, values, ""))


def to_dict(config: Any) -> dict[str, Any]:
    """Return a configuration as nested dicts of what JSON can hold.

    >>> from itune.data import TextLenConfig
    >>> to_dict(TextLenConfig())["prefixes"]
    ['Negative .', 'Positive .']
    """
    values = ((field.name, getattr(config, field.name)) for field in _fields(type(config)))
    return {name: _plain(value) for name, value in values}


def from_dict(config_type: type[C], mapping: Mapping[str, Any], *, source: str = "") -> C:
    """Return the configuration that :func:`to_dict` has written; what lacks is the default.

    Args:
      config_type: the frozen dataclass.
      mapping: from JSON or TOML.
      source: put before the messages, such as the name of the file.

    Raises:
      UserError: as :func:`parse`.

    >>> from itune.data import TextLenConfig
    >>> from_dict(TextLenConfig, {"train_size": 40}).train_size
    40
    >>> from_dict(TextLenConfig, {"train_sise": 40})
    Traceback (most recent call last):
    itune.errors.UserError: train_sise is not a key; did you mean train_size?
    """
    prefix = f"{source}: " if source else ""
    keys = _keys(config_type)
    values = _checked(keys, mapping, prefix)
    try:
        return _build(config_type, keys, values)
    except UserError as error:
        raise UserError(f"{prefix}{error}") from None


def to_arguments(config: Any, base: Any) -> list[str]:
    """Return the options that turn `base` into `config`, which is of the same class.

    >>> from itune.data import TextLenConfig
    >>> to_arguments(TextLenConfig(train_size=40), TextLenConfig())
    ['--train_size', '40']
    """
    changes = _changes(config, base)
    return [word for name, value in changes.items() for word in (f"--{name}", _as_typed(value))]


def to_toml(config: Any) -> str:
    """Return a preset: the values that are not the defaults of the class, which has all of them.

    >>> from itune.data.tasks import DataConfig
    >>> from itune.data import TextLenConfig
    >>> print(to_toml(DataConfig(source="hub", textlen=TextLenConfig(train_size=40))))
    source = "hub"
    <BLANKLINE>
    [textlen]
    train_size = 40
    """
    sections: dict[str, list[str]] = {"": []}
    for name, value in _changes(config, type(config)()).items():
        section, _, key = name.rpartition(".")
        text = json.dumps("none" if value is None else _plain(value), ensure_ascii=False)
        sections.setdefault(section, []).append(f"{key} = {text}")
    blocks = ([f"[{name}]", *lines] if name else lines for name, lines in sections.items())
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def attribute_help(config_type: type) -> dict[str, str]:
    """Return what the "Attributes:" of a class's docstring say, by name, each on one line.

    Base classes count as well. A name may be followed by its type in parentheses. Double backticks
    are dropped: this is for terminals.

    >>> from itune.data import TextLenConfig
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


# From a dataclass to its keys and back


def _fields(config_type: type) -> Iterator[dataclasses.Field]:
    return (field for field in dataclasses.fields(config_type) if field.init)


def _keys(config_type: type, prefix: str = "", instance: Any = None) -> dict[str, _Key]:
    """Every key by name; defaults are those of `instance`, or those of the class."""
    keys: dict[str, _Key] = {}
    hints = typing.get_type_hints(config_type)
    told = attribute_help(config_type)
    for field in _fields(config_type):
        name, annotation = prefix + field.name, hints[field.name]
        default = field.default
        if instance is not None:
            default = getattr(instance, field.name)
        elif field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if dataclasses.is_dataclass(annotation):
            section = None if default is _REQUIRED else default
            keys |= _keys(annotation, f"{name}.", section)
        else:
            keys[name] = _Key(name, make_kind(annotation), default, told.get(field.name, ""))
    return keys


def _changes(config: Any, base: Any) -> dict[str, Any]:
    """The values of `config` that `base` has not, by name."""
    known = _keys(type(base), "", base)
    keys = _keys(type(config), "", config)
    return {name: key.default for name, key in keys.items() if key.default != known[name].default}


def _build(config_type: type[C], keys: Mapping[str, _Key], values: Mapping[str, Any]) -> C:
    """The configuration of the values, and of defaults for the rest."""
    for name, key in keys.items():
        if name not in values and key.default is _REQUIRED:
            raise UserError(f"{name} is not set; give --{name}, {key.kind.expected}")
    complete = {name: values.get(name, key.default) for name, key in keys.items()}
    return _construct(config_type, complete, "")


def _construct(config_type, values, prefix):
    hints = typing.get_type_hints(config_type)
    arguments = {}
    for field in _fields(config_type):
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


def _plain(value):
    if dataclasses.is_dataclass(value):
        return to_dict(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


# From a mapping, a preset or words to values


def _checked(keys: Mapping[str, _Key], mapping: Mapping[str, Any], source: str) -> dict[str, Any]:
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


def _read(key: _Key, text: str) -> Any:
    try:
        return key.kind.check(key.kind.read(text))
    except ValueError:
        raise UserError(f"--{key.name} is {text!r}; expected {key.kind.expected}") from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from None


def _preset_names(presets: Path | None) -> list[str]:
    return sorted(path.stem for path in presets.glob("*.toml")) if presets else []


def _preset_path(presets: Path, name: str) -> Path:
    names = _preset_names(presets)
    if name not in names:
        names.sort(key=lambda known: -SequenceMatcher(None, name, known).ratio())
        known = f"the presets are {', '.join(names)}" if names else f"{presets} holds none"
        raise UserError(f"there is no preset {name!r}; {known}")
    return presets / f"{name}.toml"


# The command line


def _normalised(argv):
    """Options spelt with underscores, and negative numbers joined to theirs by ``=``."""
    words: list[str] = []
    for word in argv:
        if word.startswith("--"):
            option, equals, value = word.partition("=")
            words.append("--" + option[2:].replace("-", "_") + equals + value)
        elif re.match(r"-[\d.]", word) and words and re.fullmatch("--[^=]+", words[-1]):
            words[-1] += f"={word}"  # argparse takes -1e-5 and -1,2 for options
        else:
            words.append(word)
    return words


def _spelt_out(argv, keys):
    """Options given by the last parts of their name alone, where only one has them, in full."""
    endings: dict[str, list[str]] = {}
    for name in keys:
        parts = name.split(".")
        for place in range(1, len(parts)):
            endings.setdefault(".".join(parts[place:]), []).append(name)
    words = []
    for word in argv:
        option, equals, value = word.partition("=")
        found = endings.get(option[2:], []) if option.startswith("--") else []
        is_short = len(found) == 1 and option[2:] not in keys
        words.append(f"--{found[0]}{equals}{value}" if is_short else word)
    return words


def _preset_in_effect(words, presets, default_preset):
    """The preset that is asked for, known before the options are, which tell of it in --help."""
    if not presets:
        return default_preset
    parser = Parser(add_help=False)
    parser.add_argument("--preset", default=default_preset)
    return parser.parse_known_args(words)[0].preset


def _make_parser(prog, description, presets, default_preset):
    parser = Parser(
        prog=prog,
        description=description,
        usage=f"{prog} {'[--preset NAME] ' if presets else ''}[--KEY VALUE ...]",
        epilog=_preset_table(presets),
        formatter_class=_Formatter,
        argument_default=argparse.SUPPRESS,
    )
    if presets:
        default = "" if default_preset is None else f" (default: {default_preset})"
        parser.add_argument("--preset", metavar="NAME", help=f"a preset, see below{default}")
    return parser


def _add_positionals(parser, positionals):
    parser.usage = parser.usage.replace(" [", " ".join(["", *positionals, "["]), 1)
    for metavar, name in positionals.items():
        parser.add_argument(name, nargs="?", metavar=metavar, help=f"short for --{name} {metavar}")


def _add_options(parser, config_type, keys, told, section):
    """Adds a group of options for each section, the plain values first."""
    prefix = f"{section}." if section else ""
    summary = (inspect.getdoc(config_type) or "").partition("\n")[0]
    if summary.startswith(f"{config_type.__name__}("):  # written by dataclasses, not by people
        summary = ""
    own = [key for name, key in keys.items() if name.rpartition(".")[0] == section]
    if own:
        group = parser.add_argument_group(section or "values", summary)
        for key in own:
            text = f"{key.help} ({told[key.name]})".strip().replace("%", "%%")
            alone = {"nargs": "?", "const": "true"} if isinstance(key.default, bool) else {}
            group.add_argument(f"--{key.name}", metavar=key.kind.metavar, help=text, **alone)
    hints = typing.get_type_hints(config_type)
    for field in _fields(config_type):
        if dataclasses.is_dataclass(hints[field.name]):
            _add_options(parser, hints[field.name], keys, told, prefix + field.name)


def _values_in_words(keys, preset, values, scaled):
    """What each key is if no option says otherwise, and where that comes from, by name."""

    def in_words(key):
        if key.name in values:
            return f"preset {preset}: {shlex.quote(_as_typed(values[key.name]))}"
        if key.name in scaled:
            return "default: scaled to the data"
        if key.default is _REQUIRED:
            return "required"
        return f"default: {shlex.quote(_as_typed(key.default))}"

    return {name: in_words(key) for name, key in keys.items()}


def _as_typed(value):
    """A value as the command line takes it."""
    if isinstance(value, tuple):
        return ",".join(map(_as_typed, value))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _preset_table(presets: Path | None) -> str:
    names = _preset_names(presets)
    width = max(map(len, names), default=0)
    lines = [f"  {name:{width}}  {_first_comment(presets / f'{name}.toml')}" for name in names]
    return "\n".join(["presets:", *(line.rstrip() for line in lines)]) if names else ""


def _first_comment(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        return f"(cannot be read: {error})"
    comments = (line.strip("# ") for line in lines if line.startswith("#"))
    return next(filter(None, comments), "")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Leaves the table of presets and hyphenated words alone; more room for options' names."""

    def __init__(self, prog):
        super().__init__(prog, max_help_position=30)

    def _split_lines(self, text, width):
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)
