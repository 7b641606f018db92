"""Tasks by name, each a recipe that makes the examples of a run."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from itune.corpora import msgs, textlen
from itune.corpora.example import Splits
from itune.corpora.msgs import MsgsConfig
from itune.corpora.textlen import TextLenConfig
from itune.errors import UserError, as_path, require
from itune.utils.suggestions import require_one_of


class Task(NamedTuple):
    """How the examples of a task are made or read, by its recipe, a configuration dataclass.

    ``sources`` are those that ``build`` knows, as messages show them; for others it returns None.
    ``unconfounded`` turns a recipe into that of the control, which lacks the spurious correlation,
    and ``reads_control`` tells whether ``read`` can make it out of the task's own folder. ``names``
    are those of labels and of confounds, by number. ``counterpart`` makes of a recipe a function
    that gives a text its other confound, or returns None.
    """

    sources: tuple[str, ...]
    build: Callable[[str, Any, int], Splits | None]
    read: Callable[[Path, Any, int], Splits]
    unconfounded: Callable[[Any], Any]
    reads_control: bool
    names: Callable[[Any], tuple[tuple[str, ...], tuple[str, ...]]]
    counterpart: Callable[[Any], Callable[[str], str | None]]


TASKS = {
    "textlen": Task(
        sources=("embedded", "hub", "conll:FOLDER"),
        build=textlen.make_splits,
        read=textlen.read_splits,
        unconfounded=lambda recipe: dataclasses.replace(recipe, spurious=False),
        reads_control=False,
        names=lambda recipe: (textlen.LABELS, recipe.prefixes),
        counterpart=lambda recipe: partial(textlen.with_other_prefix, recipe),
    ),
    "msgs": Task(
        sources=("embedded",),
        build=msgs.make_splits,
        read=msgs.read_msgs,
        unconfounded=lambda recipe: dataclasses.replace(recipe, balanced=True),
        reads_control=True,
        names=lambda recipe: (msgs.LABELS, msgs.CONFOUNDS),
        counterpart=lambda recipe: msgs.with_articles_exchanged,
    ),
}
"""Tasks by name; the recipe of each is the field of :class:`DataConfig` of that name."""


@dataclass(frozen=True)
class DataConfig:
    """Where the examples of a run come from.

    Attributes:
      task: ``textlen`` or ``msgs``.
      source: ``embedded`` (generated sentences) or a folder. For TextLen a folder holds
        train.jsonl, dev.jsonl and test.jsonl of any task; ``hub`` makes TextLen from CoNLL-2003 on
        the Hugging Face hub, and ``conll:FOLDER`` makes it from CoNLL files. For MSGS a folder
        holds its official files.
      control: Folder of the task without its spurious correlation; needed only if the source is a
        folder, and never for MSGS.
      seed: Seed of the embedded sentences, and of what is drawn from official MSGS files; an
        integer, 0 or more.
      textlen: Recipe of TextLen, for all sources but a folder.
      msgs: Recipe of MSGS.
    """

    task: str = "textlen"
    source: str = "embedded"
    control: str | None = None
    seed: int = 0
    textlen: TextLenConfig = field(default_factory=TextLenConfig)
    msgs: MsgsConfig = field(default_factory=MsgsConfig)

    def __post_init__(self):
        require_one_of(self, task=TASKS)
        require(self, "a non-negative integer", lambda v: v >= 0, "seed")

    @property
    def name(self) -> str:
        """Name of the task in results: the folder's name, or else ``textlen`` or ``msgs``."""
        folder = as_path(self.source)
        return folder.name if folder.is_dir() else self.task


class TaskExamples(NamedTuple):
    """The examples of a task.

    Attributes:
      splits: Examples of train, dev and test.
      label_names: Names of the labels, by number; empty if they are numbers only.
      confound_names: Names of the confounds, by number; empty if they are numbers only.
    """

    splits: Splits
    label_names: tuple[str, ...] = ()
    confound_names: tuple[str, ...] = ()


def load_examples(config: DataConfig) -> TaskExamples:
    """Read or make the examples of a task.

    Args:
      config: Where the examples come from.

    Returns:
      The examples in ``splits``, and the names of labels and confounds, by number.

    Raises:
      UserError: The source is missing or malformed.
    """
    return _load(config, getattr(config, config.task), can_read=True)


def counterpart_of(config: DataConfig) -> Callable[[str], str | None]:
    """Return the function that gives a text of a task its other confound, or returns None."""
    return TASKS[config.task].counterpart(getattr(config, config.task))


def load_control(config: DataConfig) -> TaskExamples:
    """Read or make the examples of a task without its spurious correlation.

    They come from the folder ``config.control`` if that is set, else from the source by the task's
    unconfounded recipe: TextLen without its prefix, MSGS with a balanced training set.
    """
    task = TASKS[config.task]
    recipe = task.unconfounded(getattr(config, config.task))
    if config.control is None:
        return _load(config, recipe, can_read=task.reads_control)
    if not as_path(config.control).is_dir():
        raise UserError(f"data.control {config.control!r} is not a folder; check the path")
    return _load(dataclasses.replace(config, source=config.control), recipe, can_read=True)


def _load(config: DataConfig, recipe: Any, *, can_read: bool) -> TaskExamples:
    task, source = TASKS[config.task], config.source
    splits = task.build(source, recipe, config.seed)
    if splits is not None:
        return TaskExamples(splits, *task.names(recipe))
    if not as_path(source).is_dir():
        known = ", ".join(task.sources)
        raise UserError(f"data.source {source!r} is neither a folder nor one of {known}")
    if not can_read:
        raise UserError(
            f"data.source is the folder {source!r}, which does not tell what its control is; set "
            "data.control to the folder of the same task without its spurious correlation"
        )
    return TaskExamples(task.read(as_path(source), recipe, config.seed))
