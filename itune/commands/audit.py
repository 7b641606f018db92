"""``itune audit``: whether a model leans on a confound, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from itune.audit.config import AuditConfig
from itune.commands.output import make_origin, require_free, write_results
from itune.config import parse
from itune.data.table import TableConfig, read_tables
from itune.errors import UserError
from itune.training.progress import Watch


def _whole_table() -> TableConfig:
    return TableConfig(dev_fraction=0.0, test_fraction=0.0)


@dataclass(frozen=True)
class AuditCommand:
    """An audit of a model on the data it was trained on.

    Attributes:
      model: folder of a Hugging Face BERT classifier, with its tokenizer.
      out: folder for the report, report.html, and its numbers, report.json; nothing is written
        where none.
      overwrite: whether a report that is there is replaced.
      table: the data. All rows of ``train`` count as trained on; where dev and test were taken from
        it, give the fractions and the seed once more.
      audit: how thorough it is.
    """

    model: str = ""
    out: Path | None = None
    overwrite: bool = False
    table: TableConfig = field(default_factory=_whole_table)
    audit: AuditConfig = AuditConfig()


def main(argv: Sequence[str]) -> None:
    """Audits a model, prints what was found, and writes it if asked to."""
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
    if command.out is not None:
        require_free(command.out, command.overwrite)

    from itune.audit.model import audit_model
    from itune.commands.audit_text import to_text
    from itune.compiling import keep_compiled
    from itune.report import audit_numbers, audit_page

    keep_compiled()
    with Watch() as watch:
        found = audit_model(
            command.model, read_tables(command.table), command.audit, watch.notify, say=watch.say
        )
    print(to_text(found))
    if command.out is not None:
        origin = make_origin("audit", argv, found.digest, f"{command.audit.seed}, of every draw")
        page = audit_page(found, origin)
        write_results(command.out, page, audit_numbers(found), origin)
