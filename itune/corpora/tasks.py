"""Tasks by name: where the examples of a run come from."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

from itune.corpora import msgs, textlen
from itune.corpora.msgs import MsgsConfig
from itune.corpora.splits import Splits, Task, require_sound
from itune.corpora.textlen import TextLenConfig
from itune.errors import UserError, require
from itune.tables.splits import SPLITS

__all__ = ["SPLITS", "TASKS", "DataConfig", "Splits", "load_control", "load_splits"]

TASKS: dict[str, Task] = {"textlen": textlen.TASK, "msgs": msgs.TASK}
"""Each has its recipe in the field of :class:`DataConfig` of the same name."""


@dataclass(frozen=True)
class DataConfig:
    """Where a run's examples come from.

    Attributes:
      task: ``textlen`` or ``msgs``.
      source: ``embedded`` (generated sentences) or a folder. For TextLen a folder holds
        train.jsonl, dev.jsonl and test.jsonl, of whatever task; ``hub`` makes TextLen of the hub's
        CoNLL-2003, and ``conll:FOLDER`` of CoNLL files. For MSGS a folder holds its official files.
      control: a folder like that of the task without its spurious correlation; needed only where
        the source is a folder, and for MSGS not even there.
      seed: of the embedded sentences, and of what is taken from official MSGS files.
      textlen: the recipe, for all sources but a folder.
      msgs: the recipe.
    """

    task: str = "textlen"
    source: str = "embedded"
    control: str | None = None
    seed: int = 0
    textlen: TextLenConfig = field(default_factory=TextLenConfig)
    msgs: MsgsConfig = field(default_factory=MsgsConfig)

    def __post_init__(self):
        require(self, f"one of {', '.join(TASKS)}", TASKS.__contains__, "task")
        require(self, "a non-negative integer", lambda v: v >= 0, "seed")

    @property
    def name(self) -> str:
        """What to call the task: a folder's name, else ``textlen`` or ``msgs``."""
        return Path(self.source).name if Path(self.source).is_dir() else self.task


def load_splits(config: DataConfig) -> Splits:
    """Reads or makes the examples.

    Raises:
      UserError: the source is missing or malformed, training has one class only or a gap between
        its labels, or another split has a label or confound that training has not.
    """
    return _load(config, getattr(config, config.task))


def load_control(config: DataConfig) -> Splits:
    """Reads or makes the examples of the task without its spurious correlation.

    They come from the folder ``config.control`` if that is set, else from the source by the task's
    unconfounded recipe: TextLen without its prefix, MSGS with a balanced training set and the same
    development and test sets.

    Raises:
      UserError: as :func:`load_splits`; or the source is a folder that does not tell what its
        control is, and ``config.control`` is not set.
    """
    recipe = TASKS[config.task].unconfounded(getattr(config, config.task))
    if config.control is None:
        return _load(config, recipe, is_control=True)
    if not Path(config.control).is_dir():
        raise UserError(f"data.control {config.control!r} is not a folder; check the path")
    return _load(dataclasses.replace(config, source=config.control), recipe)


def _load(config: DataConfig, recipe, *, is_control: bool = False) -> Splits:
    task, source = TASKS[config.task], config.source
    splits = task.build(source, recipe, config.seed)
    if splits is None and not Path(source).is_dir():
        known = ", ".join(task.sources)
        raise UserError(f"data.source {source!r} is neither a folder nor one of {known}")
    if splits is None and is_control and not task.reads_control:
        raise UserError(
            f"data.source is the folder {source!r}, which does not tell what its control is; set "
            "data.control to the folder of the same task without its spurious correlation"
        )
    if splits is None:
        splits = task.read(Path(source), recipe, config.seed)
    require_sound(splits)
    return splits
