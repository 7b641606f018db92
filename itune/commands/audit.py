"""``itune audit``: whether a model leans on a confound, and how sure that is."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itune.audit.config import AuditConfig
from itune.commands.output import make_origin, require_free, write_results
from itune.config import given_values, parse
from itune.data.table import TableConfig, read_tables
from itune.errors import UserError
from itune.training.progress import Watch

if TYPE_CHECKING:
    from itune.tuning.record import TableRecord

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

    from itune.audit.model import audit_model
    from itune.commands.audit_text import to_text
    from itune.compiling import keep_compiled
    from itune.report import audit_numbers, audit_page
    from itune.tuning.record import table_record

    keep_compiled()
    record = table_record(command.model)
    table = _completed(command.table, given_values(AuditCommand, argv), record)
    with Watch() as watch:
        tables = read_tables(table)
        found = audit_model(command.model, tables, command.audit, watch.notify, say=watch.say)
    if record and record.digest != found.digest:
        found = found._replace(notes=(*found.notes, OTHER_ROWS))
    print(to_text(found))
    origin = make_origin("audit", argv, found.digest, f"{command.audit.seed}, of every draw")
    write_results(command.out, audit_page(found, origin), audit_numbers(found), origin)


OTHER_ROWS = "these are not the rows, or not the split, that itune tune trained the model on"


def _completed(
    table: TableConfig, given: Mapping[str, Any], record: "TableRecord | None"
) -> TableConfig:
    """The table with what its record tells, if it is of this one, and the command line does not."""
    if record is None or table.train not in ("", record.config.train):
        return table
    own = {
        name.removeprefix(SECTION): value
        for name, value in given.items()
        if name.startswith(SECTION)
    }
    if "confound" in own:
        own.setdefault("rule", None)
    return dataclasses.replace(record.config, **own)
