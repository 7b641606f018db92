"""The commands of the command line as functions: describe, audit, tune and compare.

Each takes a table as rows, columns, a data frame or a data set (:mod:`itune.tables.objects`
lists them), or by a name as the command line does. ``columns`` are the fields of
:class:`~itune.tables.table.TableConfig`, such as ``text="review"``. What they return
shows itself in a notebook; its ``to_rows()`` are rows that ``pandas.DataFrame`` takes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from itune.auditing.config import AuditConfig
from itune.auditing.model import ModelAudit
from itune.auditing.recorded import audit_recorded
from itune.config import from_dict, to_dict
from itune.errors import UserError, as_folder
from itune.results import Comparison, RunResult
from itune.tables.describe import Description, describe_tables
from itune.tables.table import TableConfig, Tables, make_tables
from itune.tuning import compare as compare_on
from itune.tuning import tune as tune_on
from itune.utils.progress import OnProgress, ProgressDisplay, no_progress


def describe(data: Any, *, dev: Any = None, test: Any = None, **columns: Any) -> Description:
    """What a table holds, and what to beware of.

    Args:
      data: the table, or its training rows.
      dev: rows of the same kind, or the name of one of the splits of ``data``; None for its own, or
        a part of its rows.
      test: likewise.
      columns: what they are called, and how the table is split.

    Raises:
      UserError: the table cannot be read.

    >>> rows = [{"text": f"{n} it is", "label": n % 2, "confound": n % 2} for n in range(100)]
    >>> found = describe(rows)
    >>> found.splits["train"].cramers_v, found.splits["test"].size
    (1.0, 10)
    >>> found.to_rows()[0]
    {'label': '0', 'confound': '0', 'train': 40, 'dev': 5, 'test': 5}
    """
    with ProgressDisplay() as display:
        return describe_tables(
            _tables(data, dev, test, columns, display.on_progress), display.on_progress
        )


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
    """Whether a model leans on a confound in the data it was trained on.

    Args:
      model: folder of a Hugging Face BERT classifier, or what :func:`tune` has written.
      data: as of :func:`describe`. May be left out where :func:`tune` has written the model, and
        had its table by name.
      dev: the same.
      test: the same.
      settings: of :class:`~itune.auditing.config.AuditConfig`, by name.
      keep: a folder of its own for what is done, so that an audit that is cut off goes on when it
        is called again; deleted at the end.
      columns: the same. Where :func:`tune` has written the model, what is not given is as it was
        then, the split too; else all rows of ``data`` count as trained on, unless ``dev_fraction``
        and ``test_fraction`` are given.

    Returns:
      What was found; where the rows are not those that :func:`tune` trained on, a note says so.

    Raises:
      UserError: the folder holds no such model, there is no table, or its labels are not the
        model's classes.
    """
    config = from_dict(AuditConfig, settings or {}, source="settings")
    _check(data, dev, test, columns)
    with ProgressDisplay() as display:
        return audit_recorded(
            model,
            data,
            columns,
            config,
            display.on_progress,
            dev=dev,
            test=test,
            say=display.on_message,
            keep=None if keep is None else as_folder(keep, "keep"),
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
    """A classifier that leans less on a confound.

    Args:
      data: as of :func:`describe`.
      out: the folder that is written, of which ``model`` is a Hugging Face folder.
      dev: the same.
      test: the same.
      method: a key of :data:`~itune.methods.METHODS`.
      seed: of everything random in training.
      settings: of :class:`~itune.training.settings.TrainingConfig` by dotted name, such as
        ``{"encoder": "bert-base-uncased", "label.epochs": 3}``; the others suit the data.
      resume: go on with what was cut off.
      overwrite: delete what is there first.
      columns: the same.

    Raises:
      UserError: the table cannot be trained on, or the folder holds something else.
    """
    tables = _tables(data, dev, test, columns, no_progress)
    return tune_on(
        tables,
        out,
        method=method,
        seed=seed,
        settings=settings,
        about=_about(data, dev, test, columns),
        resume=resume,
        overwrite=overwrite,
    )


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
    """Several methods on one table, and whether seeds tell them apart.

    Args:
      data: as of :func:`tune`, and so are the others.
      out: gets a folder for each run.
      dev: the same.
      test: the same.
      methods: the first is what the others are compared with.
      seeds: each method is run with each.
      settings: of all runs.
      resume: the same.
      overwrite: the same.
      columns: the same.

    Raises:
      UserError: as :func:`tune`.
    """
    tables = _tables(data, dev, test, columns, no_progress)
    with ProgressDisplay() as display:
        return compare_on(
            tables,
            out,
            methods=methods,
            seeds=seeds,
            settings=settings,
            about=_about(data, dev, test, columns),
            resume=resume,
            overwrite=overwrite,
            say=display.on_message,
        )


def _tables(
    data: Any, dev: Any, test: Any, columns: dict[str, Any], on_progress: OnProgress
) -> Tables:
    _check(data, dev, test, columns)
    if isinstance(data, Tables):
        return data
    return make_tables(
        data, from_dict(TableConfig, columns), dev=dev, test=test, on_progress=on_progress
    )


def _check(data: Any, dev: Any, test: Any, columns: dict[str, Any]) -> None:
    """Checks that nothing is given twice."""
    if "train" in columns:
        raise UserError("train is given, but data has the training rows; leave it out")
    given = [*columns, *(name for name, rows in (("dev", dev), ("test", test)) if rows is not None)]
    if given and isinstance(data, Tables):
        raise UserError(f"{given[0]} is given, but the table is read already; leave it out")


def _about(data: Any, dev: Any, test: Any, columns: dict[str, Any]) -> dict[str, Any] | None:
    """What ``config.json`` tells of the table; no ``train`` where it cannot be read again."""
    if isinstance(data, Tables):
        return None
    parts = {"train": data, "dev": dev, "test": test}
    given = {name: rows for name, rows in parts.items() if rows is not None}
    named = {name: str(rows) for name, rows in given.items() if isinstance(rows, str | Path)}
    if len(named) < len(given):
        named.pop("train", None)
    return {"table": to_dict(from_dict(TableConfig, columns | named).located)}
