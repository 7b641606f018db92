"""What the commands that train have in common: a table, a folder, and the settings of training."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from itune.config import given_values, parse, to_dict
from itune.errors import require
from itune.tables.table import TableConfig
from itune.training.settings import TrainingConfig
from itune.tuning.schedule import SCALED

SECTION = "training."

C = TypeVar("C", bound="TrainingCommand")


@dataclass(frozen=True)
class TrainingCommand(TableConfig):
    """A table, and how classifiers are trained on it.

    Attributes:
      out: the folder that is written; in there is the report, report.html, with its numbers in
        report.json.
      resume: go on with what was cut off, and take as it is what is finished.
      overwrite: delete first what is there of an earlier command.
      checkpoint_seconds: time between checkpoints.
      training: all other settings.
    """

    out: Path = Path("tuned")
    resume: bool = False
    overwrite: bool = False
    checkpoint_seconds: float = 120.0
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self):
        super().__post_init__()
        require(self, "a non-negative number", lambda v: v >= 0, "checkpoint_seconds")

    @property
    def table(self) -> TableConfig:
        """Where the rows come from."""
        names = TableConfig.__dataclass_fields__
        return TableConfig(**{name: getattr(self, name) for name in names})

    @property
    def folder(self) -> dict[str, Any]:
        """What is done with the folder, as arguments."""
        names = ("resume", "overwrite", "checkpoint_seconds")
        about = {"table": to_dict(self.table.located)}
        return {"about": about, **{name: getattr(self, name) for name in names}}


def parse_training(
    command_type: type[C], argv: Sequence[str], *, prog: str, description: str
) -> tuple[C, dict[str, Any]]:
    """A command, and those of its settings of training that were given, by dotted name.

    Raises:
      UserError: as :func:`~itune.config.parse`.
    """
    command = parse(
        command_type,
        None,
        argv,
        prog=prog,
        description=description,
        positionals={"TABLE": "train"},
        scaled=[SECTION + name for name in SCALED],
    )
    settings = {
        name.removeprefix(SECTION): value
        for name, value in given_values(command_type, argv).items()
        if name.startswith(SECTION)
    }
    return command, settings
