"""What ``--help`` says of a configuration: every value, and every preset."""

import argparse
import dataclasses
import inspect
import shlex
import textwrap
import typing
from pathlib import Path

from itune.cli import Parser
from itune.config.keys import REQUIRED, fields_of
from itune.config.presets import preset_table

SHORTER = "The parts of a name before its dots may be left out where no other option ends so."


def make_parser(
    prog: str, description: str, presets: Path | None, default_preset: str | None
) -> Parser:
    """A parser of no key yet, which knows ``--preset`` where there are presets."""
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


def add_options(parser, config_type, keys, told, section):
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
    for field in fields_of(config_type):
        if dataclasses.is_dataclass(hints[field.name]):
            add_options(parser, hints[field.name], keys, told, prefix + field.name)


def values_in_words(keys, preset, values, scaled):
    """What each key is if no option says otherwise, and where that comes from, by name."""

    def in_words(key):
        if key.name in values:
            return f"preset {preset}: {shlex.quote(as_typed(values[key.name]))}"
        if key.name in scaled:
            return "default: scaled to the data"
        if key.default is REQUIRED:
            return "required"
        return f"default: {shlex.quote(as_typed(key.default))}"

    return {name: in_words(key) for name, key in keys.items()}


def as_typed(value):
    """A value as the command line takes it."""
    if isinstance(value, tuple):
        return ",".join(map(as_typed, value))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Leaves the table of presets and hyphenated words alone; more room for options' names."""

    def __init__(self, prog):
        super().__init__(prog, max_help_position=30)

    def _split_lines(self, text, width):
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)
