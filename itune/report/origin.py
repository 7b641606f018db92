"""How a result was made, as the last section of its page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import itune
from itune.report.blocks import Block, Code, Facts, Page, Paragraph, Section
from itune.results import RunResult
from itune.utils.shell import quote

FOOTER = f"Made by itune {itune.__version__}. One file without scripts, which needs no network."


@dataclass(frozen=True)
class Origin:
    """What it takes to make a result again.

    Attributes:
      command: Words of the command; empty where no command made the result.
      versions: Versions of what computed, by name.
      digest: SHA-256 of the data, in hexadecimal.
      seeds: Seeds of every draw, in words.
      device: Kind of device that computed.
    """

    command: tuple[str, ...]
    versions: dict[str, str]
    digest: str
    seeds: str
    device: str

    @classmethod
    def of_runs(cls, command: Sequence[str], runs: Sequence[RunResult]) -> "Origin":
        """Return how runs on the same data were made.

        Args:
          command: Words of the command that made the runs.
          runs: The runs, one or more; the first tells what computed.
        """
        seeds = ", ".join(map(str, dict.fromkeys(run.seed for run in runs)))
        first = runs[0]
        return cls(tuple(command), first.versions, first.digest or "", seeds, first.device)


def make_page(
    title: str,
    subtitle: str,
    lead: Sequence[Block],
    sections: Mapping[str, Iterable[Block]],
    origin: Origin | None,
) -> Page:
    """Return a page of those sections that have blocks, and of its origin if that is known."""
    filled = ((title, tuple(blocks)) for title, blocks in sections.items())
    return Page(
        title=title,
        subtitle=subtitle,
        lead=tuple(lead),
        sections=(
            *(Section(title, blocks) for title, blocks in filled if blocks),
            *origin_sections(origin),
        ),
        footer=FOOTER,
    )


def origin_sections(origin: Origin | None) -> tuple[Section, ...]:
    """Return the command and what the result depends on beside it, as one section; or none."""
    if origin is None:
        return ()
    facts = {
        "Data": f"SHA-256 {origin.digest}",
        "Seed": origin.seeds,
        "Device": origin.device,
        "Versions": ", ".join(f"{name} {version}" for name, version in origin.versions.items()),
    }
    command = (Code(command_text(origin.command)),) if origin.command else ()
    note = Paragraph(
        "Options that are not listed were left at their defaults. The numbers of this page, "
        "unrounded, are in report.json beside it."
    )
    return (Section("How to make this again", (*command, Facts(tuple(facts.items())), note)),)


def command_text(words: Sequence[str]) -> str:
    r"""Return a command as it is typed into a shell, an option to a line.

    >>> print(command_text(["itune", "audit", "model", "--rule", "words:A, B", "--seed", "1"]))
    itune audit model \
      --rule 'words:A, B' \
      --seed 1
    """
    quoted = (f"\\\n  {quote(word)}" if word.startswith("--") else quote(word) for word in words)
    return " ".join(quoted)
