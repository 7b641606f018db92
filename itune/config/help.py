"""What ``--help`` says of a configuration: every value, and every preset."""

import argparse
import dataclasses
import inspect
import textwrap
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from itune.cli import Parser
from itune.config.keys import REQUIRED, Key, fields_of
from itune.config.presets import preset_table
from itune.utils.shell import quote

SHORTER = "The parts of a name before its dots may be left out where no other option ends so."


def make_parser(
    prog: str, description: str, presets: Path | None, default_preset: str | None
) -> Parser:
    """Return a parser that has no key yet, and ``--preset`` if there are presets."""
    parser = Parser(
        prog=prog,
        description=description,
        usage=f"{prog} {'[--preset NAME] ' if presets else ''}[--KEY VALUE ...]",
        epilog="\n\n".join(filter(None, [SHORTER, preset_table(presets)])),
        formatter_class=_Formatter,
        argument_default=argparse.SUPPRESS,
    )
    if presets:
        default = "" if default_preset is None else f" (default: {default_preset})"
        parser.add_argument("--preset", metavar="NAME", help=f"a preset, see below{default}")
    return parser


def add_options(
    parser: Parser,
    config_type: type,
    keys: Mapping[str, Key],
    values: Mapping[str, str],
    section: str = "",
) -> None:
    """Add a group of options for each section, after those of no section."""
    summary = (inspect.getdoc(config_type) or "").partition("\n")[0]
    if summary.startswith(f"{config_type.__name__}("):  # written by dataclasses, not by people
        summary = ""
    own = [key for name, key in keys.items() if name.rpartition(".")[0] == section]
    if own:
        group = parser.add_argument_group(section or "values", summary)
        for key in own:
            text = f"{key.help} ({values[key.name]})".strip().replace("%", "%%")
            alone: dict[str, Any] = {}
            if isinstance(key.default, bool):
                alone = {"nargs": "?", "const": "true"}
            group.add_argument(f"--{key.name}", metavar=key.kind.metavar, help=text, **alone)
    for name, annotation, _ in fields_of(config_type):
        if dataclasses.is_dataclass(annotation):
            inner = f"{section}.{name}" if section else name
            add_options(parser, annotation, keys, values, inner)


def values_in_words(
    keys: Mapping[str, Key], preset: str | None, values: Mapping[str, Any], scaled: Collection[str]
) -> dict[str, str]:
    """Return, by name, the value of each key without its option, and where that comes from."""

    def in_words(key: Key) -> str:
        if key.name in values:
            return f"preset {preset}: {quote(as_typed(values[key.name]))}"
        if key.name in scaled:
            return "default: scaled to the data"
        if key.default is REQUIRED:
            return "required"
        return f"default: {quote(as_typed(key.default))}"

    return {name: in_words(key) for name, key in keys.items()}


def as_typed(value: Any) -> str:
    """Return a value as the command line takes it.

    >>> [as_typed(value) for value in ((1, 2), None, True, 0.5)]
    ['1,2', 'none', 'true', '0.5']
    """
    if isinstance(value, tuple):
        return ",".join(map(as_typed, value))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Leaves the table of presets and hyphenated words alone; more room for options' names."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)
