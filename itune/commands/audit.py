"""``itune audit``: whether a model leans on a confound, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from itune.auditing.config import AuditConfig
from itune.commands.output import make_origin, require_free, write_results
from itune.config import given_values, parse
from itune.errors import UserError
from itune.tables.table import TableConfig
from itune.utils.progress import ProgressDisplay

UNFINISHED = "unfinished"
"""Folder in ``out`` of what an audit that was cut off had done; the next one goes on from it."""

SECTION = "table."
"""Of the command's settings that are those of the table."""


def _whole_table() -> TableConfig:
    return TableConfig(dev_fraction=0.0, test_fraction=0.0)


@dataclass(frozen=True)
class AuditCommand:
    """An audit of a model on the data it was trained on.

    Attributes:
      model: folder of a Hugging Face BERT classifier, with its tokenizer; or of what itune tune has
        written, which knows its table.
      out: folder for the report, report.html, and its numbers, report.json.
      overwrite: whether a report that is there is replaced.
      table: the data. All rows of ``train`` count as trained on; where dev and test were taken from
        it, give the fractions and the seed once more. Of a model that itune tune has written, what
        is not given is as it was then.
      audit: how thorough it is.
    """

    model: str = ""
    out: Path = Path("audited")
    overwrite: bool = False
    table: TableConfig = field(default_factory=_whole_table)
    audit: AuditConfig = AuditConfig()


def main(argv: Sequence[str]) -> None:
    """Audits a model, prints what was found, and leaves a report."""
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
    require_free(command.out, command.overwrite)

    from itune.auditing.recorded import audit_recorded
    from itune.commands.audit_text import to_text
    from itune.report import audit_numbers, audit_page
    from itune.utils.compiling import use_compilation_cache

    use_compilation_cache()
    given = {
        name.removeprefix(SECTION): value
        for name, value in given_values(AuditCommand, argv).items()
        if name.startswith(SECTION)
    }
    given.pop("train", None)
    with ProgressDisplay() as display:
        found = audit_recorded(
            command.model,
            command.table.train or None,
            given,
            command.audit,
            display.on_progress,
            say=display.on_message,
            keep=command.out / UNFINISHED,
        )
    origin = make_origin("audit", argv, found.digest, f"{command.audit.seed}, of every draw")
    page, numbers = audit_page(found, origin), audit_numbers(found)
    write_results(command.out, page, numbers, origin, to_text(found))
