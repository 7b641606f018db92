"""The commands of the command line as functions: describe, audit, discover, tune and compare.

Each function takes a table, or the rows of a split, in one of three forms:

- Rows, columns, a data frame or a data set; :mod:`itune.tables.objects` lists what is accepted.
- A name, as on the command line: a file, a folder, one of the tasks ``textlen``, ``msgs`` and
  ``reviews``, or a data set on the Hugging Face hub. A file or folder in the working directory
  takes precedence over a task with that name.
- A :class:`~itune.tables.Tables`, which has been read and split already. ``dev``, ``test`` and
  ``columns`` cannot be given with it.

The results display themselves in a notebook. Their method ``to_rows()`` returns a list of dicts,
from which ``pandas.DataFrame`` makes a data frame.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from itune.auditing.config import AuditConfig
from itune.auditing.linear import LinearAudit
from itune.auditing.linear import audit_number as audit_number_on
from itune.auditing.model import ModelAudit, audit_model
from itune.config import to_dict
from itune.config.mappings import from_dict
from itune.discovery.config import DiscoverConfig
from itune.discovery.findings import Discovery
from itune.discovery.model import discover_model
from itune.errors import UserError, as_folder
from itune.results import Comparison, RunResult
from itune.tables.config import TableConfig
from itune.tables.describe import describe_tables
from itune.tables.description import Description
from itune.tables.table import Tables, make_tables
from itune.training.record import (
    describe_source,
    further_of_model,
    source_of,
    tables_of_model,
)
from itune.training.run_folder import RunOptions
from itune.tuning.compare import compare_on
from itune.tuning.tune import tune_on
from itune.utils.progress import OnProgress, ProgressDisplay, no_progress


def describe(data: Any, *, dev: Any = None, test: Any = None, **columns: Any) -> Description:
    """Describe a table: its sizes and groups, how label and confound are associated, and warnings.

    Args:
      data: The table, or its training rows, in a form that :mod:`itune.api` lists.
      dev: Development rows, or the name of a split of ``data``. None uses its dev split, or else a
        random part of its training rows.
      test: Test rows, or the name of a split of ``data``. None uses its test split, or else a
        random part of its training rows.
      columns: Fields of :class:`~itune.tables.TableConfig`: what columns are called, such as
        ``text="review"``, and how the table is split, such as ``dev_fraction=0.2``.

    Returns:
      The description of the table.

    Raises:
      UserError: The table cannot be read, or a keyword argument is unknown or has a bad value.

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
      model: Folder of a Hugging Face classifier with its tokenizer, or of a run that
        :func:`tune`, :func:`compare` or ``experiments/run.py`` has written.
      data: The table that the model was trained on, or its training rows, in a form that
        :mod:`itune.api` lists. None uses the table of the model's run, if that was a named table or
        a task.
      dev: Development rows, or the name of a split of ``data``. None uses what the run used, or
        else the dev split of ``data`` if it has one.
      test: Test rows, or the name of a split of ``data``. None uses what the run used, or else the
        test split of ``data`` if it has one.
      settings: Fields of :class:`~itune.auditing.AuditConfig` by name, such as ``{"sample": 800}``;
        fields that are left out have their defaults.
      keep: Folder for intermediate results, which must hold nothing else. An audit that was
        interrupted continues from them when it is called again; they are deleted when it ends. None
        saves nothing.
      columns: Fields of :class:`~itune.tables.TableConfig` as keyword arguments, such as
        ``text="review"``. If the model has a run and the data can be those of the run, a field that
        is not given has the value it had in the run. Otherwise all rows of ``data`` count as
        training rows, unless ``dev_fraction`` or ``test_fraction`` is given.

    Returns:
      The audit. If the data differ from those of the model's run, one of its notes says so.

    Raises:
      UserError: The folder holds no such model, there is no table, the labels of the table are not
        the classes of the model, or an argument has a bad value.
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


def audit_number(
    model: str | Path,
    number: str,
    data: Any = None,
    *,
    dev: Any = None,
    test: Any = None,
    settings: Mapping[str, Any] | None = None,
    keep: str | Path | None = None,
    **columns: Any,
) -> LinearAudit:
    """Audit whether a model leans on a number, such as an age, along a straight line.

    Args:
      model: Folder of a Hugging Face classifier with its tokenizer, or of a run that
        :func:`tune`, :func:`compare` or ``experiments/run.py`` has written.
      number: Column of the number. Rows without a value are left out.
      data: The table that the model was trained on, or its training rows, in a form that
        :mod:`itune.api` lists. None uses the table of the model's run, if that was a named table.
        The confound of a run decides how its rows are split, and nothing else.
      dev: Development rows, or the name of a split of ``data``. None uses what the run used, or
        else the dev split of ``data`` if it has one.
      test: Test rows, or the name of a split of ``data``. None uses what the run used, or else the
        test split of ``data`` if it has one.
      settings: Fields of :class:`~itune.auditing.AuditConfig` by name, such as ``{"sample": 800}``;
        fields that are left out have their defaults.
      keep: Folder for intermediate results, which must hold nothing else. An audit that was
        interrupted continues from them when it is called again; they are deleted when it ends. None
        saves nothing.
      columns: Fields of :class:`~itune.tables.TableConfig` as keyword arguments, such as
        ``text="review"``. If the model has a run and the data can be those of the run, a field that
        is not given has the value it had in the run. Otherwise all rows of ``data`` count as
        training rows, unless ``dev_fraction`` or ``test_fraction`` is given.

    Returns:
      The audit: CID of the number, with interval and p value, and how errors go with it.

    Raises:
      UserError: The folder holds no such model, there is no table, the column is missing or holds
        anything but numbers, the labels of the table are not the classes of the model, or an
        argument has a bad value.
    """
    config = from_dict(AuditConfig, settings or {}, source="settings")
    folder = None if keep is None else as_folder(keep, "keep")
    _check(data, dev, test, columns)
    if source_of(model, data) is None:
        columns = {"confound": None} | columns
    place = {"dev": dev, "test": test}
    with ProgressDisplay() as display:
        tables = tables_of_model(model, data, columns, **place, on_progress=display.on_progress)
        further = further_of_model(model, data, columns, (number,), **place)
        return audit_number_on(
            model,
            tables,
            number,
            further.columns,
            config,
            display.on_progress,
            say=display.on_message,
            keep=folder,
        )


def discover(
    model: str | Path,
    data: Any = None,
    *,
    dev: Any = None,
    test: Any = None,
    settings: Mapping[str, Any] | None = None,
    keep: str | Path | None = None,
    **columns: Any,
) -> Discovery:
    """Search for what a model leans on in the data that it was trained on.

    Args:
      model: Folder of a Hugging Face classifier with its tokenizer, or of a run that
        :func:`tune`, :func:`compare` or ``experiments/run.py`` has written.
      data: The table that the model was trained on, or its training rows, in a form that
        :mod:`itune.api` lists. None uses the table of the model's run, if that was a named table or
        a task. Confounds that are named are not looked at.
      dev: Development rows, or the name of a split of ``data``. None uses what the run used, or
        else the dev split of ``data`` if it has one.
      test: Test rows, or the name of a split of ``data``. None uses what the run used, or else the
        test split of ``data`` if it has one.
      settings: Fields of :class:`~itune.discovery.DiscoverConfig` by name, such as
        ``{"minimum": 20}``; fields that are left out have their defaults.
      keep: Folder for sketches of gradients, which must hold nothing else. A search that was
        interrupted continues from them, and from what it has measured of candidates, when it is
        called again; the sketches stay. None keeps nothing.
      columns: Fields of :class:`~itune.tables.TableConfig` as keyword arguments, such as
        ``text="review"``. If the model has a run and the data can be those of the run, a field that
        is not given has the value it had in the run. Otherwise all rows of ``data`` count as
        training rows, unless ``dev_fraction`` or ``test_fraction`` is given.

    Returns:
      What was found; ``to_rows()`` has a dict for each candidate that was tested.

    Raises:
      UserError: The folder holds no such model, there is no table, the labels of the table are not
        the classes of the model, or an argument has a bad value.
    """
    config = from_dict(DiscoverConfig, settings or {}, source="settings")
    folder = None if keep is None else as_folder(keep, "keep")
    _check(data, dev, test, columns)
    if source_of(model, data) is None:  # a run's confound has a part in how its rows are split
        columns = {"confound": None} | columns
    place = {"dev": dev, "test": test}
    with ProgressDisplay() as display:
        tables = tables_of_model(model, data, columns, **place, on_progress=display.on_progress)
        return discover_model(
            model,
            tables,
            config,
            display.on_progress,
            further=further_of_model(model, data, columns, config.columns, **place),
            say=display.on_message,
            keep=folder,
            described=describe_source(model, data, columns, **place),
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
      data: The table, or its training rows, in a form that :mod:`itune.api` lists.
      out: Folder of the run, made if absent. It gets the trained model in ``model``, a folder that
        Hugging Face's ``from_pretrained`` loads, and the run's settings, metrics and results.
      dev: Development rows, or the name of a split of ``data``. None uses its dev split, or else a
        random part of its training rows.
      test: Test rows, or the name of a split of ``data``. None uses its test split, or else a
        random part of its training rows.
      method: Key of :data:`~itune.methods.METHODS`, such as ``influence_tuning``, ``group_dro`` or
        ``finetuning``; but not ``no_spurious``.
      seed: Seed of everything random in training; an integer from 0 to 2**32 - 1.
      settings: Fields of :class:`~itune.training.TrainingConfig` by dotted name, such as
        ``{"label.epochs": 3}``; those that are left out are scaled to the size of the data.
      resume: Whether to continue an interrupted run in ``out``. It must have been started with
        these arguments; a finished run is returned unchanged.
      overwrite: Whether to delete an earlier run in ``out`` first, and all that is in its folder.
      columns: Fields of :class:`~itune.tables.TableConfig`: what columns are called, such as
        ``text="review"``, and how the table is split, such as ``dev_fraction=0.2``.

    Returns:
      The result of the run: its accuracies by split and group, its CID, and how both developed.

    Raises:
      UserError: The table cannot be trained on, an argument has a bad value, or ``out`` holds a run
        and neither ``resume`` nor ``overwrite`` is true, or holds anything but a run.
    """
    tables = _tables(data, dev, test, columns, no_progress)
    options = RunOptions(resume, overwrite, about=_about(data, dev, test, columns))
    return tune_on(tables, out, method, seed, settings, options)


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
    """Train classifiers on one table by several methods, and test whether the methods differ.

    Args:
      data: The table, or its training rows, in a form that :mod:`itune.api` lists.
      out: Folder of the comparison, made if absent. It gets a folder ``METHOD-SEED`` for each run,
        and the comparison as ``comparison.md``, ``comparison.csv`` and ``comparison.tex``.
      dev: Development rows, or the name of a split of ``data``. None uses its dev split, or else a
        random part of its training rows.
      test: Test rows, or the name of a split of ``data``. None uses its test split, or else a
        random part of its training rows.
      methods: Different keys of :data:`~itune.methods.METHODS`, but not ``no_spurious``. The first
        is the reference that every other method is compared with.
      seeds: Different integers from 0 to 2**32 - 1; every method is run once with each of them.
      settings: Fields of :class:`~itune.training.TrainingConfig` by dotted name, such as
        ``{"label.epochs": 3}``; those that are left out are scaled to the size of the data.
      resume: Whether to continue interrupted runs in ``out``. They must have been started with
        these arguments; finished runs are used unchanged.
      overwrite: Whether to delete earlier runs in ``out`` first, and all that is in their folders.
      columns: Fields of :class:`~itune.tables.TableConfig`: what columns are called, such as
        ``text="review"``, and how the table is split, such as ``dev_fraction=0.2``.

    Returns:
      The comparison: mean and spread of each method over the seeds, and tests of the differences.

    Raises:
      UserError: The table cannot be trained on, an argument has a bad value, or the folder of a run
        holds one and neither ``resume`` nor ``overwrite`` is true, or holds anything but a run.
    """
    tables = _tables(data, dev, test, columns, no_progress)
    options = RunOptions(resume, overwrite, about=_about(data, dev, test, columns))
    with ProgressDisplay() as display:
        return compare_on(tables, out, methods, seeds, settings, options, say=display.on_message)


def _tables(
    data: Any, dev: Any, test: Any, columns: dict[str, Any], on_progress: OnProgress
) -> Tables:
    _check(data, dev, test, columns)
    if isinstance(data, Tables):
        return data
    config = from_dict(TableConfig, columns)
    return make_tables(data, config, dev=dev, test=test, on_progress=on_progress)


def _check(data: Any, dev: Any, test: Any, columns: Mapping[str, Any]) -> None:
    """Check that nothing is given twice."""
    if "train" in columns:
        raise UserError("train is given, but data has the training rows; leave it out")
    given = [*columns, *(name for name, rows in (("dev", dev), ("test", test)) if rows is not None)]
    if given and isinstance(data, Tables):
        raise UserError(f"{given[0]} is given, but the table is read already; leave it out")


def _about(data: Any, dev: Any, test: Any, columns: dict[str, Any]) -> dict[str, Any]:
    """Describe the table for ``config.json``; without ``train`` if it cannot be read again."""
    if isinstance(data, Tables):
        return {}
    parts = {"train": data, "dev": dev, "test": test}
    given = {name: rows for name, rows in parts.items() if rows is not None}
    named = {name: str(rows) for name, rows in given.items() if isinstance(rows, str | Path)}
    if len(named) < len(given):
        named.pop("train", None)
    return {"table": to_dict(from_dict(TableConfig, columns | named).located)}
