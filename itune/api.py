"""The commands of the command line as functions: describe, audit, tune and compare.

Each takes a table as rows, columns, a data frame or a data set (:mod:`itune.tables.objects` lists
them); by a name, as the command line does; or as a :class:`~itune.tables.Tables`. A name is a file,
a folder, one of the tasks ``textlen``, ``msgs`` and ``reviews``, or a data set of the Hugging Face
hub; a file or folder of the working directory wins over a task of the same name. What the
functions return shows itself in a notebook; its ``to_rows()`` are rows that ``pandas.DataFrame``
takes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from itune.auditing.config import AuditConfig
from itune.auditing.model import ModelAudit, audit_model
from itune.config import from_dict, to_dict
from itune.errors import UserError, as_folder
from itune.results import Comparison, RunResult
from itune.tables.describe import Description, describe_tables
from itune.tables.table import TableConfig, Tables, make_tables
from itune.training.record import tables_of_model
from itune.training.run_folder import RunOptions
from itune.tuning import compare_on, tune_on
from itune.utils.progress import OnProgress, ProgressDisplay, no_progress


def describe(data: Any, *, dev: Any = None, test: Any = None, **columns: Any) -> Description:
    """Describe a table: sizes, groups, association of label and confound, and warnings.

    Args:
      data: The table, or its training rows.
      dev: Rows of dev, or the name of one of the splits of ``data``; None for its own, or a part of
        its training rows.
      test: Rows of test, or the name of one of the splits of ``data``; None for its own, or a part
        of its training rows.
      columns: Fields of :class:`~itune.tables.TableConfig`: what the columns are called, such as
        ``text="review"``, and how the table is split.

    Raises:
      UserError: The table cannot be read.

    >>> rows = [{"text": f"{n} it is", "label": n % 2, "confound": n % 2} for n in range(100)]
    >>> description = describe(rows)
    >>> description.splits["train"].cramers_v, description.splits["test"].size
    (1.0, 10)
    >>> description.to_rows()[0]
    {'label': '0', 'confound': '0', 'train': 40, 'dev': 5, 'test': 5}
    """
    with ProgressDisplay() as display:
        tables = _tables(data, dev, test, columns, display.on_progress)
        return describe_tables(tables, display.on_progress)


def audit(
    model: str | Path,
    data: Any = None,
    *,
    dev: Any = None,
    test: Any = None,
    settings: Mapping[str, Any] | None = None,
    keep: str | Path | None = None,
    **columns: Any,
) -> ModelAudit:
    """Audit whether a model leans on a confound in the data that it was trained on.

    Args:
      model: Folder of a Hugging Face BERT classifier, or of a run: by :func:`tune`,
        :func:`compare` or ``experiments/run.py``.
      data: The table that the model was trained on, or its training rows. May be left out if the
        model is a run's that had its table by name, or was on a task.
      dev: Rows of dev, or the name of one of the splits of ``data``.
      test: Rows of test, or the name of one of the splits of ``data``.
      settings: Fields of :class:`~itune.auditing.AuditConfig`, by name.
      keep: Folder for intermediate results, for them alone: an audit that is interrupted goes on
        from there when it is called again, and deletes them at its end. None keeps nothing.
      columns: Fields of :class:`~itune.tables.TableConfig`. If the model is a run's and the data
        can be the run's, what is not given is as it was in the run, the split too; else all rows of
        ``data`` count as trained on, unless ``dev_fraction`` and ``test_fraction`` are given.

    Returns:
      The audit; a note says so if the data are not those of the model's run.

    Raises:
      UserError: The folder holds no such model, there is no table, or its labels are not the
        model's classes.
    """
    config = from_dict(AuditConfig, settings or {}, source="settings")
    folder = None if keep is None else as_folder(keep, "keep")
    _check(data, dev, test, columns)
    with ProgressDisplay() as display:
        tables = tables_of_model(
            model, data, columns, dev=dev, test=test, on_progress=display.on_progress
        )
        return audit_model(
            model, tables, config, display.on_progress, say=display.on_message, keep=folder
        )


def tune(
    data: Any,
    out: str | Path,
    *,
    dev: Any = None,
    test: Any = None,
    method: str = "influence_tuning",
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    **columns: Any,
) -> RunResult:
    """Train a classifier that leans less on a confound.

    Args:
      data: The table, or its training rows.
      out: Folder that is written; the folder ``model`` in it is a Hugging Face folder.
      dev: Rows of dev, or the name of one of the splits of ``data``; None for its own, or a part of
        its training rows.
      test: Rows of test, or the name of one of the splits of ``data``; None for its own, or a part
        of its training rows.
      method: Key of :data:`~itune.methods.METHODS`.
      seed: Seed of everything random in training; an integer from 0 to 2**32 - 1.
      settings: Fields of :class:`~itune.training.settings.TrainingConfig` by dotted name, such as
        ``{"encoder": "bert-base-uncased", "label.epochs": 3}``; the others are scaled to the data.
      resume: Whether to go on with a run that is in the folder already; a finished one is returned
        as it is.
      overwrite: Whether to delete what is in the folder first.
      columns: Fields of :class:`~itune.tables.TableConfig`: what the columns are called, and how
        the table is split.

    Raises:
      UserError: The table cannot be trained on, or the folder holds something else.
    """
    tables = _tables(data, dev, test, columns, no_progress)
    options = RunOptions(resume, overwrite, about=_about(data, dev, test, columns))
    return tune_on(tables, out, method=method, seed=seed, settings=settings, options=options)


def compare(
    data: Any,
    out: str | Path,
    *,
    dev: Any = None,
    test: Any = None,
    methods: Sequence[str] = ("finetuning", "influence_tuning"),
    seeds: Sequence[int] = (1, 2, 3, 4, 5),
    settings: Mapping[str, Any] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    **columns: Any,
) -> Comparison:
    """Train classifiers on one table by several methods, and test whether seeds tell them apart.

    Args:
      data: The table, or its training rows.
      out: Folder that gets a folder for each run, and tables of the comparison.
      dev: Rows of dev, or the name of one of the splits of ``data``; None for its own, or a part of
        its training rows.
      test: Rows of test, or the name of one of the splits of ``data``; None for its own, or a part
        of its training rows.
      methods: Keys of :data:`~itune.methods.METHODS`; the first is what the others are compared
        with.
      seeds: Seeds with each of which every method is run; integers from 0 to 2**32 - 1.
      settings: Fields of :class:`~itune.training.settings.TrainingConfig` by dotted name, for all
        runs; the others are scaled to the data.
      resume: Whether to go on with runs that are in the folder already, and take finished ones as
        they are.
      overwrite: Whether to delete earlier runs first.
      columns: Fields of :class:`~itune.tables.TableConfig`: what the columns are called, and how
        the table is split.

    Raises:
      UserError: The table cannot be trained on, or a folder holds something else.
    """
    tables = _tables(data, dev, test, columns, no_progress)
    options = RunOptions(resume, overwrite, about=_about(data, dev, test, columns))
    with ProgressDisplay() as display:
        return compare_on(
            tables,
            out,
            methods=methods,
            seeds=seeds,
            settings=settings,
            options=options,
            say=display.on_message,
        )


def _tables(
    data: Any, dev: Any, test: Any, columns: dict[str, Any], on_progress: OnProgress
) -> Tables:
    _check(data, dev, test, columns)
    if isinstance(data, Tables):
        return data
    config = from_dict(TableConfig, columns)
    return make_tables(data, config, dev=dev, test=test, on_progress=on_progress)


def _check(data: Any, dev: Any, test: Any, columns: Mapping[str, Any]) -> None:
    """Checks that nothing is given twice."""
    if "train" in columns:
        raise UserError("train is given, but data has the training rows; leave it out")
    given = [*columns, *(name for name, rows in (("dev", dev), ("test", test)) if rows is not None)]
    if given and isinstance(data, Tables):
        raise UserError(f"{given[0]} is given, but the table is read already; leave it out")


def _about(data: Any, dev: Any, test: Any, columns: dict[str, Any]) -> dict[str, Any]:
    """The table as ``config.json`` describes it; without ``train`` if it cannot be read again."""
    if isinstance(data, Tables):
        return {}
    parts = {"train": data, "dev": dev, "test": test}
    given = {name: rows for name, rows in parts.items() if rows is not None}
    named = {name: str(rows) for name, rows in given.items() if isinstance(rows, str | Path)}
    if len(named) < len(given):
        named.pop("train", None)
    return {"table": to_dict(from_dict(TableConfig, columns | named).located)}
