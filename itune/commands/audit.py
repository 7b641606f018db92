"""``itune audit``: whether a model leans on a confound, and how sure that is."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from itune.audit.config import AuditConfig
from itune.commands.output import make_origin, require_free, write_results
from itune.config import parse
from itune.data.table import TableConfig, read_tables
from itune.errors import UserError
from itune.training.progress import Progress


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
    with _Watch() as watch:
        found = audit_model(
            command.model, read_tables(command.table), command.audit, watch.notify, say=watch.say
        )
    print(to_text(found))
    if command.out is not None:
        origin = make_origin("audit", argv, found.digest, f"{command.audit.seed}, of every draw")
        page = audit_page(found, origin)
        write_results(command.out, page, audit_numbers(found), origin)


class _Watch:
    """Progress of one part of the audit after another, on standard error."""

    def __init__(self):
        self._part, self._done, self._bar = "", 0, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._close()

    def notify(self, part: str, done: int, total: int) -> None:
        """Shows that so much of a part is done."""
        if part != self._part:
            self._close()
            self._part, self._done, self._bar = part, 0, Progress(part, total)
        self._bar.advance(done - self._done)
        self._done = done

    def say(self, sentence: str) -> None:
        """Shows a sentence between two parts."""
        self._close()
        print(sentence, file=sys.stderr, flush=True)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._part, self._bar = "", None
