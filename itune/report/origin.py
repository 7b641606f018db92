"""How a result was made, as the last section of its page."""

import shlex
from collections.abc import Sequence
from typing import NamedTuple

import itune
from itune.report.blocks import Code, Facts, Paragraph, Section

FOOTER = f"Made by itune {itune.__version__}. One file without scripts, which needs no network."


class Origin(NamedTuple):
    """What it takes to make a result again.

    Attributes:
      command: its words; empty where it was not made by a command.
      versions: of what computed, by name.
      digest: SHA-256 of the data, in hexadecimal.
      seeds: of every draw, in words.
      device: that it ran on.
    """

    command: tuple[str, ...]
    versions: dict[str, str]
    digest: str
    seeds: str
    device: str


def origin_section(origin: Origin) -> Section:
    """The command, and what the result depends on beside it."""
    facts = {
        "Data": f"SHA-256 {origin.digest}",
        "Seed": origin.seeds,
        "Device": origin.device,
        "Versions": ", ".join(f"{name} {version}" for name, version in origin.versions.items()),
    }
    command = (Code(command_text(origin.command)),) if origin.command else ()
    return Section(
        "How to make this again",
        (
            *command,
            Facts(tuple(facts.items())),
            Paragraph(
                "Options that are not listed were left at their defaults. The numbers of this "
                "page, unrounded, are in report.json beside it."
            ),
        ),
    )


def command_text(words: Sequence[str]) -> str:
    r"""A command as it is typed into a shell, an option to a line.

    >>> print(command_text(["itune", "audit", "model", "--rule", "words:A, B", "--seed", "1"]))
    itune audit model \
      --rule 'words:A, B' \
      --seed 1
    """
    quoted = (f"\\\n  {word}" if word.startswith("--") else shlex.quote(word) for word in words)
    return " ".join(quoted)
