"""What the commands that train have in common: a table, a folder, and the settings of training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from itune.commands.found import first_found
from itune.config import narrowed, parse, to_dict
from itune.config.command_line import given_values
from itune.errors import UserError
from itune.methods import METHODS
from itune.tables.config import TableConfig
from itune.training.run_folder import RunOptions
from itune.training.settings import TrainingConfig
from itune.tuning.schedule import SCALED
from itune.utils.hardware import HardwareConfig
from itune.utils.progress import say
from itune.utils.shell import quote

SECTION = "training."

C = TypeVar("C", bound="TrainingCommand")


@dataclass(frozen=True)
class TrainingCommand(TableConfig):
    """A table, and how classifiers are trained on it.

    Attributes:
      out: Folder to write to. The report in it is report.html; its numbers are in report.json.
      resume: Whether to continue interrupted runs in the folder, and use finished runs unchanged.
      overwrite: Whether to delete first what an earlier command has left in the folder.
      checkpoint_seconds: Seconds between checkpoints.
      discover: Folder of a report by itune discover, whose first finding that is confirmed to harm
        becomes the confound.
      hardware: What the work runs on.
      training: Settings of training.
    """

    out: Path = Path("tuned")
    resume: bool = False
    overwrite: bool = False
    checkpoint_seconds: float = 120.0
    discover: Path | None = None
    hardware: HardwareConfig = HardwareConfig()
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self):
        super().__post_init__()
        RunOptions(checkpoint_seconds=self.checkpoint_seconds)  # refuses what it cannot be

    @property
    def table(self) -> TableConfig:
        """Settings of where the rows come from."""
        return narrowed(self, TableConfig)

    @property
    def options(self) -> RunOptions:
        """Options of the runs: what they do with their folders, and what they record."""
        about = {"table": to_dict(self.table.located)}
        return RunOptions(self.resume, self.overwrite, self.checkpoint_seconds, about)


def parse_training(
    command_type: type[C], argv: Sequence[str], methods: str, *, prog: str, description: str
) -> tuple[C, dict[str, Any]]:
    """Return the command of a command line, and the settings of training that it gives, by name.

    ``methods`` is the key of the command that names a method, or several.
    """
    command = parse(
        command_type,
        None,
        argv,
        prog=prog,
        description=description,
        positionals={"TABLE": "train"},
        scaled=[SECTION + name for name in SCALED],
        choices={methods: [name for name, spec in METHODS.items() if not spec.uses_control]},
    )
    if command.discover is not None:
        command = _with_found(command, command.discover, given_values(command_type, argv))
    return command, given_values(command_type, argv, SECTION)


def _with_found(command: C, folder: Path, given: Mapping[str, Any]) -> C:
    """Return a command whose confound is the first finding of a search, and say which that is."""
    for name in ("confound", "rule", "bins"):
        if given.get(name) is not None:
            raise UserError(f"{name} and discover both name a confound; leave one out")
    feature, settings = first_found(folder)
    words = " ".join(f"--{name} {quote(value)}" for name, value in settings.items())
    say(f"confound: {feature}, the first finding of {folder} ({words})")
    return replace(command, **settings)
