"""Configurations from the words of a command line."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from itune.cli import Parser
from itune.config.help import add_options, as_typed, make_parser, values_in_words
from itune.config.keys import Key, build, changed_values, checked, keys_of
from itune.config.presets import preset_path, read_preset
from itune.errors import UserError

C = TypeVar("C")

_NEGATIVE = re.compile(r"-[\d.]")


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
    choices: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> C:
    """Return the configuration that a command line asks for.

    A value comes from the command line, else from the preset, else it is the default of its field.
    ``--train.steps 3`` may be shortened to ``--steps 3`` if no other key ends in ``steps``, and an
    option that is true or false may stand alone for true. ``--help`` prints each value as the
    preset in effect has it, and each preset with the first comment of its file, and exits.

    Args:
      config_type: A frozen dataclass.
      presets: Folder of the presets, ``NAME.toml``; None if there are none.
      argv: The words of the command line.
      prog: Name of the command, for ``--help``.
      description: What the command does, for ``--help``.
      default_preset: Name of the preset if no ``--preset`` is given; None for the defaults alone.
      positionals: Keys whose values may be given without their options, in this order, by the
        names that ``--help`` has for them, such as ``TABLE``.
      scaled: Keys whose values follow from the data unless they are given; ``--help`` says so.
      choices: Names that the values of a key come from, by key, which ``--help`` lists.

    Raises:
      UserError: An unknown preset or key, a value of the wrong type, a missing value, or whatever
        the dataclasses refuse. The message names the key, the value and what is expected.
    """
    keys = keys_of(config_type)
    words = _in_full(_normalized(argv), keys)
    preset = _preset_in_effect(words, default_preset) if presets else None
    values: dict[str, Any] = {}
    if presets is not None and preset is not None:
        path = preset_path(presets, preset)
        values |= checked(keys, read_preset(path), f"{path}: ")
    parser = make_parser(prog, description, presets, default_preset)
    for name, known in choices.items():
        keys[name] = keys[name]._replace(help=f"{keys[name].help} Out of {', '.join(known)}.")
    add_options(parser, config_type, keys, values_in_words(keys, preset, values, scaled))
    parser.usage = str(parser.usage).replace(" [", " ".join(["", *positionals, "["]), 1)
    for metavar, name in positionals.items():
        parser.add_argument(name, nargs="?", metavar=metavar, help=f"short for --{name} {metavar}")
    given = vars(parser.parse_args(words))
    given.pop("preset", None)
    return build(config_type, keys, values | _read(keys, given))


def given_values(config_type: type, argv: Sequence[str], section: str = "") -> dict[str, Any]:
    """Return the values that a command line itself gives, by name, as :func:`parse` reads them.

    A ``section`` such as ``table.`` leaves out what is not in it, and itself out of the names.

    >>> from itune.corpora import TextLenConfig
    >>> given_values(TextLenConfig, ["--train_size", "40"])
    {'train_size': 40}
    """
    keys = keys_of(config_type)
    parser = make_parser("", "", None, None)
    add_options(parser, config_type, keys, dict.fromkeys(keys, ""))
    values = _read(keys, vars(parser.parse_known_args(_in_full(_normalized(argv), keys))[0]))
    in_section = {name: value for name, value in values.items() if name.startswith(section)}
    return {name.removeprefix(section): value for name, value in in_section.items()}


def to_arguments(config: Any, base: Any) -> list[str]:
    """Return the options that turn `base` into `config`, which is of the same class.

    >>> from itune.corpora import TextLenConfig
    >>> to_arguments(TextLenConfig(train_size=40), TextLenConfig())
    ['--train_size', '40']
    """
    changed = changed_values(config, base)
    return [word for name, value in changed.items() for word in option_words(name, value)]


def option_words(name: str, value: Any) -> list[str]:
    """Return the words of an option, one if its value looks like an option itself, else two.

    >>> option_words("confound", "-age"), option_words("bins", "-1e-05")
    (['--confound=-age'], ['--bins', '-1e-05'])
    """
    text = as_typed(value)
    is_like_an_option = text.startswith("-") and not _NEGATIVE.match(text)
    return [f"--{name}={text}"] if is_like_an_option else [f"--{name}", text]


def _read(keys: Mapping[str, Key], texts: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in texts.items():
        kind = keys[name].kind
        try:
            values[name] = kind.check(kind.read(text))
        except UserError as error:  # of what no path can be
            raise UserError(f"--{name}: {error}") from None
        except ValueError:
            raise UserError(f"--{name} must be {kind.expected}, got {text!r}") from None
    return values


def _normalized(argv: Iterable[str]) -> list[str]:
    """Spell options with underscores, and join negative numbers to theirs by ``=``."""
    words: list[str] = []
    for word in argv:
        if word.startswith("--"):
            option, equals, value = word.partition("=")
            words.append("--" + option[2:].replace("-", "_") + equals + value)
        elif _NEGATIVE.match(word) and words and re.fullmatch("--[^=]+", words[-1]):
            words[-1] += f"={word}"  # argparse takes -1e-5 and -1,2 for options
        else:
            words.append(word)
    return words


def _in_full(argv: Iterable[str], keys: Collection[str]) -> list[str]:
    """Complete options that are given by the last parts of their names, where one key has them."""
    words = []
    for word in argv:
        option, equals, value = word.partition("=")
        matches = [name for name in keys if name.endswith(f".{option[2:]}")]
        is_short = option.startswith("--") and option[2:] not in keys and len(matches) == 1
        words.append(f"--{matches[0]}{equals}{value}" if is_short else word)
    return words


def _preset_in_effect(words: Sequence[str], default_preset: str | None) -> str | None:
    """The preset that is asked for; ``--help`` tells its values, so that it is read first."""
    parser = Parser(add_help=False)
    parser.add_argument("--preset", default=default_preset)
    return parser.parse_known_args(words)[0].preset
