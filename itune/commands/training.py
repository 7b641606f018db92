"""What the commands that train have in common: a table, a folder, and the settings of training."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from itune.config import given_values, parse, to_dict
from itune.tables.table import TableConfig
from itune.training.run_folder import RunOptions
from itune.training.settings import TrainingConfig
from itune.tuning.schedule import SCALED

SECTION = "training."

C = TypeVar("C", bound="TrainingCommand")


@dataclass(frozen=True)
class TrainingCommand(TableConfig):
    """A table, and how classifiers are trained on it.

    Attributes:
      out: Folder that is written; in there is the report, report.html, with its numbers in
        report.json.
      resume: Whether to go on with what was interrupted, and take finished runs as they are.
      overwrite: Whether to delete first what is there of an earlier command.
      checkpoint_seconds: Seconds between checkpoints.
      training: All other settings.
    """

    out: Path = Path("tuned")
    resume: bool = False
    overwrite: bool = False
    checkpoint_seconds: float = 120.0
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self):
        super().__post_init__()
        RunOptions(checkpoint_seconds=self.checkpoint_seconds)  # refuses what it cannot be

    @property
    def table(self) -> TableConfig:
        """Where the rows come from."""
        names = TableConfig.__dataclass_fields__
        return TableConfig(**{name: getattr(self, name) for name in names})

    @property
    def options(self) -> RunOptions:
        """What runs do with their folders, and what they record of the table."""
        about = {"table": to_dict(self.table.located)}
        return RunOptions(self.resume, self.overwrite, self.checkpoint_seconds, about)


def parse_training(
    command_type: type[C], argv: Sequence[str], *, prog: str, description: str
) -> tuple[C, dict[str, Any]]:
    """Parse a command line.

    Args:
      command_type: The command's configuration.
      argv: Words of the command line.
      prog: Name of the command, for ``--help`` and messages.
      description: One sentence for ``--help``.

    Returns:
      The command, and the settings of training that were given, by dotted name.

    Raises:
      UserError: See :func:`~itune.config.parse`.
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
