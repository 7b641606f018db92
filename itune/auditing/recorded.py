"""The audit of a model with what its folder tells of the table it was trained on."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from itune.auditing.config import AuditConfig
from itune.auditing.model import ModelAudit, audit_model
from itune.config import from_dict, to_dict
from itune.errors import UserError
from itune.models import find_model, load_config
from itune.tables.table import TableConfig, Tables, make_tables
from itune.tuning.record import TableRecord, table_record
from itune.utils.progress import OnProgress, no_progress

WHOLE = {"dev_fraction": 0.0, "test_fraction": 0.0}
"""All rows count as trained on, where nothing else is known."""

OTHER_ROWS = "these are not the rows, or not the split, that itune tune trained the model on"


def audit_recorded(
    folder: str | Path,
    data: Any,
    given: Mapping[str, Any],
    config: AuditConfig | None = None,
    on_progress: OnProgress = no_progress,
    *,
    dev: Any = None,
    test: Any = None,
    say: Callable[[str], None] = lambda sentence: None,
    keep: Path | None = None,
) -> ModelAudit:
    """Audits a model on a table, of which its folder may tell what is not given.

    Args:
      folder: of a Hugging Face BERT classifier, or of a run.
      data: the table, as of :func:`~itune.tables.table.make_tables`, or one that is read already;
        None for the one that the run has noted.
      given: fields of :class:`~itune.tables.table.TableConfig`, but ``train``. The others are as in
        training, where the table is that of the run.
      config: as of :func:`~itune.auditing.model.audit_model`.
      on_progress: the same.
      dev: as of :func:`~itune.tables.table.make_tables`.
      test: likewise.
      say: as of :func:`~itune.auditing.model.audit_model`.
      keep: likewise.

    Returns:
      The audit; a note where the rows are not those of the run.

    Raises:
      UserError: the folder holds no model, no table is given or noted, or one of the two is not
        what it should be.
    """
    load_config(find_model(folder))
    record = table_record(folder)
    if isinstance(data, Tables):
        tables = data
    else:
        table = completed(record, data, given)
        data = _noted(record, folder) if data is None else data
        dev, test = (table.dev if dev is None else dev), (table.test if test is None else test)
        tables = make_tables(data, table, dev=dev, test=test, on_progress=on_progress)
    found = audit_model(folder, tables, config, on_progress, say=say, keep=keep)
    if record and record.digest != found.digest:
        return found._replace(notes=(*found.notes, OTHER_ROWS))
    return found


def completed(record: TableRecord | None, data: Any, given: Mapping[str, Any]) -> TableConfig:
    """The table with what a record tells, if it is of this one, and is not given.

    Args:
      record: of a run, if there is one.
      data: as of :func:`audit_recorded`.
      given: the same.

    Raises:
      UserError: a field is unknown, or its value is not of its kind.
    """
    if record is None or not record.is_of(data):
        return from_dict(TableConfig, WHOLE | given)
    known = to_dict(record.config)
    if "confound" in given:
        known["rule"] = None
    return from_dict(TableConfig, known | given)


def _noted(record: TableRecord | None, folder: str | Path) -> str:
    """What the table of a run is called."""
    if record is None:
        raise UserError(
            f"no table is given, and {folder} does not tell which one it was trained on; name a "
            "file, a folder or a data set"
        )
    if not record.config.train:
        raise UserError(
            f"no table is given, and {folder} was trained on rows given in Python, which it does "
            "not keep; give them again, or a file of them"
        )
    return record.config.train
