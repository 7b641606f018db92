"""What the commands on a trained model have in common: a model, its table and a report."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from itune.commands.output import require_no_report
from itune.config import parse
from itune.config.command_line import given_values
from itune.errors import UserError
from itune.tables.config import TableConfig
from itune.utils.hardware import HardwareConfig

SECTION = "table."
"""What the names of those settings begin with that describe the table."""

C = TypeVar("C", bound="ModelCommand")


def _whole_table() -> TableConfig:
    return TableConfig(dev_fraction=0.0, test_fraction=0.0)


@dataclass(frozen=True)
class ModelCommand:
    """A model, and the data it was trained on.

    Attributes:
      model: Folder of a Hugging Face classifier, with its tokenizer; or of a run by itune tune,
        itune compare or experiments/run.py, which knows its table.
      out: Folder for the report, report.html, and its numbers, report.json.
      overwrite: Whether a report that is there is replaced.
      hardware: What the work runs on.
      table: The data. All rows of ``train`` count as trained on; if dev and test were taken from
        it, give the fractions and the seed once more. If the model is a run's, what is not given is
        as it was then.
    """

    model: str = ""
    out: Path = Path("report")
    overwrite: bool = False
    hardware: HardwareConfig = HardwareConfig()
    table: TableConfig = field(default_factory=_whole_table)


def parse_on_model(
    command_type: type[C], argv: Sequence[str], *, prog: str, description: str
) -> tuple[C, dict[str, Any]]:
    """Return the command of a command line, and the settings of the table that it gives.

    UserError if no model is named, or a report is there that may not be replaced.
    """
    command = parse(
        command_type,
        None,
        argv,
        prog=prog,
        description=description,
        positionals={"MODEL": "model", "TABLE": "table.train"},
    )
    if not command.model:
        raise UserError("model is not set; name the folder of a finetuned classifier")
    require_no_report(command.out, command.overwrite)
    columns = given_values(command_type, argv, SECTION)
    columns.pop("train", None)
    return command, columns
