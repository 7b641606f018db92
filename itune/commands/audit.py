"""``itune audit``: tell whether a model leans on a confound, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from itune.auditing.config import AuditConfig
from itune.commands.of_model import ModelCommand, parse_on_model
from itune.commands.output import make_origin, write_results
from itune.config import to_dict

UNFINISHED = "unfinished"
"""Folder in ``out`` for what an interrupted audit has done; the next one goes on from it."""


@dataclass(frozen=True)
class AuditCommand(ModelCommand):
    """An audit of a model on the data it was trained on.

    Attributes:
      number: Column of numbers, such as an age. The audit is then of that number in place of the
        confound: CID along a straight line, and how errors go with it.
      audit: How thorough the audit is.
    """

    out: Path = Path("audited")
    number: str | None = None
    audit: AuditConfig = AuditConfig()


def main(argv: Sequence[str]) -> None:
    """Audit a model, print the result, and write a report."""
    command, columns = parse_on_model(
        AuditCommand,
        argv,
        prog="itune audit",
        description="Tell whether a model leans on a confound in the data it was trained on.",
    )

    from itune import api
    from itune.commands.page_text import page_text, wrapped
    from itune.report import audit, audit_numbers, audit_page, linear, linear_numbers, linear_page
    from itune.utils.compiling import use_compilation_cache

    use_compilation_cache()
    out = command.hardware.begin(command.out)
    keep, settings = out / UNFINISHED, to_dict(command.audit)
    train = command.table.train or None
    seeds = f"{command.audit.seed}, of every draw"
    if command.number:
        result = api.audit_number(
            command.model, command.number, train, settings=settings, keep=keep, **columns
        )
        origin = make_origin("audit", argv, result.digest, seeds)
        page, numbers = linear_page(result, origin), linear_numbers(result)
        text = page_text(page, *linear.SECTIONS)
    else:
        result = api.audit(command.model, train, settings=settings, keep=keep, **columns)
        origin = make_origin("audit", argv, result.digest, seeds)
        page, numbers = audit_page(result, origin), audit_numbers(result)
        text = page_text(page, *audit.SECTIONS, with_intervals=True)
    text = f"{text}\n\n{wrapped(result.verdict.headline)}"
    write_results(out, page, numbers, origin, text)
