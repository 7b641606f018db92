"""``itune tune``: a classifier that is told to lean less on a confound."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from itune.config import given_values, parse, to_dict
from itune.data.table import TableConfig, read_tables
from itune.errors import require
from itune.training.settings import TrainingConfig
from itune.tuning.schedule import SCALED

TRAINING = "training."


@dataclass(frozen=True)
class TuneCommand(TableConfig):
    """A table, and how a classifier is trained on it.

    Attributes:
      method: ``influence_tuning``, ``embedding_tuning``, ``finetuning``, ``adversarial``,
        ``balanced_sampling``, ``subsampling``, ``group_dro``, ``last_layer_retraining`` or
        ``product_of_experts``.
      seed: of everything random in training.
      out: the folder of the run; its model is in there under ``model``.
      resume: go on with a run that was cut off.
      overwrite: delete what an earlier run left there first.
      checkpoint_seconds: time between checkpoints.
      training: all other settings.
    """

    method: str = "influence_tuning"
    seed: int = 0
    out: Path = Path("tuned")
    resume: bool = False
    overwrite: bool = False
    checkpoint_seconds: float = 120.0
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self):
        super().__post_init__()
        require(self, "an integer from 0 to 2**32 - 1", lambda v: 0 <= v < 2**32, "seed")

    @property
    def table(self) -> TableConfig:
        """Where the rows come from."""
        names = TableConfig.__dataclass_fields__
        return TableConfig(**{name: getattr(self, name) for name in names})


def main(argv: Sequence[str]) -> None:
    """Tunes, and prints what came of it."""
    command = parse(
        TuneCommand,
        None,
        argv,
        prog="itune tune",
        description="Train a classifier on a table, and keep it from leaning on the confound.",
        first="train",
        scaled=[TRAINING + name for name in SCALED],
    )
    settings = training_settings(TuneCommand, argv)

    from itune.commands.tune_text import to_text
    from itune.compiling import keep_compiled
    from itune.tuning import tune

    keep_compiled()
    tuned = tune(
        read_tables(command.table),
        command.out,
        method=command.method,
        seed=command.seed,
        settings=settings,
        about={"table": to_dict(command.table)},
        resume=command.resume,
        overwrite=command.overwrite,
        checkpoint_seconds=command.checkpoint_seconds,
    )
    print(to_text(tuned))


def training_settings(command_type: type, argv: Sequence[str]) -> dict[str, object]:
    """The settings of training that a command line gives, by their names in their section."""
    options = given_values(command_type, argv)
    return {
        name.removeprefix(TRAINING): value
        for name, value in options.items()
        if name.startswith(TRAINING)
    }
