"""Configurations from the words of a command line."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from itune.cli import Parser
from itune.config.help import add_options, as_typed, make_parser, values_in_words
from itune.config.keys import Key, build, changed_values, checked, keys_of
from itune.config.presets import preset_path, read_preset
from itune.errors import UserError

C = TypeVar("C")


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
    keys = keys_of(config_type)
    words = _spelt_out(_normalised(argv), keys)
    preset = _preset_in_effect(words, presets, default_preset)
    values = {}
    if preset is not None:
        path = preset_path(presets, preset)
        values |= checked(keys, read_preset(path), f"{path}: ")
    parser = make_parser(prog, description, presets, default_preset)
    add_options(parser, config_type, keys, values_in_words(keys, preset, values, scaled), "")
    _add_positionals(parser, positionals)
    given = vars(parser.parse_args(words))
    given.pop("preset", None)
    for name, text in given.items():
        values[name] = _read(keys[name], text)
    return build(config_type, keys, values)


def given_values(config_type: type, argv: Sequence[str]) -> dict[str, Any]:
    """Return the values that a command line itself gives, by name, as :func:`parse` reads them.

    >>> from itune.corpora import TextLenConfig
    >>> given_values(TextLenConfig, ["--train_size", "40"])
    {'train_size': 40}
    """
    keys = keys_of(config_type)
    parser = make_parser("", "", None, None)
    add_options(parser, config_type, keys, dict.fromkeys(keys, ""), "")
    words = parser.parse_known_args(_spelt_out(_normalised(argv), keys))[0]
    return {name: _read(keys[name], text) for name, text in vars(words).items()}


def to_arguments(config: Any, base: Any) -> list[str]:
    """Return the options that turn `base` into `config`, which is of the same class.

    >>> from itune.corpora import TextLenConfig
    >>> to_arguments(TextLenConfig(train_size=40), TextLenConfig())
    ['--train_size', '40']
    """
    changes = changed_values(config, base)
    return [word for name, value in changes.items() for word in (f"--{name}", as_typed(value))]


def _read(key: Key, text: str) -> Any:
    try:
        return key.kind.check(key.kind.read(text))
    except ValueError:
        raise UserError(f"--{key.name} is {text!r}; expected {key.kind.expected}") from None


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


def _add_positionals(parser, positionals):
    parser.usage = parser.usage.replace(" [", " ".join(["", *positionals, "["]), 1)
    for metavar, name in positionals.items():
        parser.add_argument(name, nargs="?", metavar=metavar, help=f"short for --{name} {metavar}")
