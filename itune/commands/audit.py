"""``itune audit``: tell whether a model leans on a confound, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from itune.auditing.config import AuditConfig
from itune.commands.output import make_origin, require_no_report, write_results
from itune.config import parse, to_dict
from itune.config.command_line import given_values
from itune.errors import UserError
from itune.tables.config import TableConfig

UNFINISHED = "unfinished"
"""Folder in ``out`` for what an interrupted audit has done; the next one goes on from it."""

SECTION = "table."
"""What the names of those settings begin with that describe the table."""


def whole_table() -> TableConfig:
    """Return the configuration of a table whose rows all count as trained on."""
    return TableConfig(dev_fraction=0.0, test_fraction=0.0)


@dataclass(frozen=True)
class AuditCommand:
    """An audit of a model on the data it was trained on.

    Attributes:
      model: Folder of a Hugging Face classifier, with its tokenizer; or of a run by itune tune,
        itune compare or experiments/run.py, which knows its table.
      out: Folder for the report, report.html, and its numbers, report.json.
      overwrite: Whether a report that is there is replaced.
      table: The data. All rows of ``train`` count as trained on; if dev and test were taken from
        it, give the fractions and the seed once more. If the model is a run's, what is not given is
        as it was then.
      audit: How thorough the audit is.
    """

    model: str = ""
    out: Path = Path("audited")
    overwrite: bool = False
    table: TableConfig = field(default_factory=whole_table)
    audit: AuditConfig = AuditConfig()


def main(argv: Sequence[str]) -> None:
    """Audit a model, print the result, and write a report."""
    command = parse(
        AuditCommand,
        None,
        argv,
        prog="itune audit",
        description="Tell whether a model leans on a confound in the data it was trained on.",
        positionals={"MODEL": "model", "TABLE": "table.train"},
    )
    if not command.model:
        raise UserError("model is not set; name the folder of a finetuned classifier")
    require_no_report(command.out, command.overwrite)

    from itune import api
    from itune.commands.page_text import page_text, wrapped
    from itune.report import audit_numbers, audit_page
    from itune.report.audit import SECTIONS
    from itune.utils.compiling import use_compilation_cache

    use_compilation_cache()
    columns = given_values(AuditCommand, argv, SECTION)
    columns.pop("train", None)
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
