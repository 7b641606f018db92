"""Tables of tasks: examples that a recipe makes, in the form of a user's own table."""

import dataclasses
from pathlib import Path

from itune.corpora.tasks import DataConfig, counterpart_of, load_control, load_examples
from itune.tables.config import TableConfig
from itune.tables.sources import example_sources
from itune.tables.table import Tables, make_tables

_COLUMNS = ("text", "label", "confound", "bins", "rule", "matched")


def task_tables(
    data: DataConfig, config: TableConfig | None = None, *, is_control: bool = False
) -> Tables:
    """Read or make the table of a task; the text of a row is its words joined by blanks.

    Args:
      data: The task, its source and its recipe.
      config: How the rows are read: another rule for the confounds, for example. The columns are
        called ``text``, ``label`` and ``confound``, as in the default configuration.
      is_control: Whether to take the task without its spurious correlation.

    Returns:
      The table. Labels and confounds of generated examples have names, those of a folder numbers.
      Its digest is that of the examples, unless the confounds come from a rule.

    Raises:
      UserError: A source is missing or malformed; or the control is wanted of a folder that does
        not tell what its control is.
    """
    config = TableConfig() if config is None else config
    examples = load_control(data) if is_control else load_examples(data)
    folder = data.control if is_control and data.control is not None else data.source
    name = folder if Path(folder).is_dir() else data.task
    tables = make_tables(example_sources(examples, name), config)
    usual = all(getattr(config, key) == getattr(TableConfig(), key) for key in _COLUMNS)
    digest = examples.splits.digest() if usual else None
    return dataclasses.replace(
        tables,
        name=data.name,
        recipe_digest=digest,
        counterpart=counterpart_of(data) if usual and not is_control else None,
    )
