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
      audit: How thorough the audit is.
    """

    out: Path = Path("audited")
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
    from itune.report import audit_numbers, audit_page
    from itune.report.audit import SECTIONS
    from itune.utils.compiling import use_compilation_cache

    use_compilation_cache()
    result = api.audit(
        command.model,
        command.table.train or None,
        settings=to_dict(command.audit),
        keep=command.out / UNFINISHED,
        **columns,
    )
    origin = make_origin("audit", argv, result.digest, f"{command.audit.seed}, of every draw")
    page, numbers = audit_page(result, origin), audit_numbers(result)
    text = page_text(page, *SECTIONS, with_intervals=True)
    text = f"{text}\n\n{wrapped(result.verdict.headline)}"
    write_results(command.out, page, numbers, origin, text)
