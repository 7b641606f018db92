"""What a run's folder tells of the data that its model was trained on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itune.config import from_dict, to_dict
from itune.errors import UserError
from itune.methods.registry import METHODS
from itune.models import model_folder
from itune.tables.sources import TASK_NAMES, open_task
from itune.tables.table import TableConfig, Tables, make_tables
from itune.tables.tasks import task_tables
from itune.training.settings import RunConfig, TrainingConfig
from itune.utils.progress import OnProgress, no_progress

WHOLE = {"dev_fraction": 0.0, "test_fraction": 0.0}
"""How a table is split that no run is known of: all rows count as trained on."""


@dataclass(frozen=True)
class RunRecord:
    """What ``config.json`` of a run says.

    Attributes:
      path: The file.
      method: Key of :data:`~itune.methods.registry.METHODS`.
      config: All settings; of a run on a task a :class:`~itune.training.settings.RunConfig`.
      table: Where the rows of a run on a table came from and how they were split; ``train`` is
        empty if they were given in Python. None of a run on a task.
      digest: SHA-256 of the data, in hexadecimal.
    """

    path: Path
    method: str
    config: TrainingConfig
    table: TableConfig | None
    digest: str

    def is_of(self, data: Any) -> bool:
        """Return whether some data can be those of the run.

        Args:
          data: A name or a path, which must be the run's; or rows, which can be those of a table.
        """
        if not isinstance(data, str | Path):
            return self.table is not None
        if self.table is not None:
            return not self.table.train or _resolved(data) == _resolved(self.table.train)
        task = self.config.data
        return _resolved(data) == _resolved(task.source) or (
            str(data) == task.task and not Path(task.source).is_dir()
        )

    def tables(
        self,
        data: Any = None,
        columns: Mapping[str, Any] | None = None,
        *,
        dev: Any = None,
        test: Any = None,
        on_progress: OnProgress = no_progress,
    ) -> Tables:
        """Read the data of the run once more.

        Args:
          data: The same rows in another form; None for where the run had them from.
          columns: Fields of :class:`~itune.tables.table.TableConfig` that differ from the run's.
          dev: Other rows of dev, or the name of a split.
          test: Other rows of test, or the name of a split.
          on_progress: Called with the rows read.

        Raises:
          UserError: The data cannot be read, are not named in the record, or a field is unknown.
        """
        columns = columns or {}
        if self.table is None:
            config = from_dict(TableConfig, columns)
            is_control = METHODS[self.method].uses_control
            return task_tables(self.config.data, config, is_control=is_control)
        known = to_dict(self.table)
        if "confound" in columns:  # a rule would be preferred to the column
            known["rule"] = None
        config = from_dict(TableConfig, known | columns)
        if data is None:
            data = self._named()
        dev, test = (config.dev if dev is None else dev), (config.test if test is None else test)
        return make_tables(data, config, dev=dev, test=test, on_progress=on_progress)

    def _named(self) -> Any:
        """The training rows of the table, of which paths are absolute."""
        if not self.table.train:
            raise UserError(
                f"no table is given, and {self.path.parent} was trained on rows given in Python, "
                "which it does not keep; give them again, or a file of them"
            )
        return open_task(self.table.train) if self.table.train in TASK_NAMES else self.table.train


def _resolved(name: str | Path) -> Path:
    return Path(name).expanduser().resolve()


def read_record(folder: str | Path) -> RunRecord:
    """Read the record of a run.

    Args:
      folder: Folder of the run.

    Raises:
      UserError: ``config.json`` is missing or damaged, or of a run on a table that was given as
        :class:`~itune.tables.table.Tables`.
    """
    path = Path(folder) / "config.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        has_table = "table" in found
        method = found["method"]
        config = from_dict(
            TrainingConfig if has_table else RunConfig, found["config"], source=str(path)
        )
        if not has_table and "data" not in found["config"]:
            raise UserError(f"{path} does not tell which table the run was on")
        table = from_dict(TableConfig, found["table"], source=str(path)) if has_table else None
        digest = found["data_sha256"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is damaged, or of no run ({error!r})") from None
    if method not in METHODS:
        raise UserError(f"{path} is damaged: it is of method {method!r}")
    return RunRecord(path, method, config, table, digest)


def find_record(folder: str | Path) -> RunRecord | None:
    """Read the record of the run that has made a model, if there is one.

    Args:
      folder: Folder of the run, or the folder ``model`` in it, or of any model.

    Returns:
      None if no run has made the model, or its record cannot be read.

    Raises:
      UserError: The folder is neither text nor a path.
    """
    model = model_folder(folder).resolve()
    if model.name != "model":
        return None
    try:
        return read_record(model.parent)
    except UserError:
        return None


def tables_of_model(
    folder: str | Path,
    data: Any = None,
    columns: Mapping[str, Any] | None = None,
    *,
    dev: Any = None,
    test: Any = None,
    on_progress: OnProgress = no_progress,
) -> Tables:
    """Read the table of a model, of which the folder of its run tells what is not given.

    Args:
      folder: Folder of a run, or of any model.
      data: The training rows as :func:`~itune.tables.table.make_tables` takes them, or a table that
        is read already; None for those that the run has recorded.
      columns: Fields of :class:`~itune.tables.table.TableConfig`. If the data are those of the run,
        the others are as they were then; else all rows count as trained on unless ``dev_fraction``
        and ``test_fraction`` are given.
      dev: Rows of dev, or the name of a split.
      test: Rows of test, or the name of a split.
      on_progress: Called with the rows read.

    Raises:
      UserError: There is no table, or it cannot be read.
    """
    if isinstance(data, Tables):
        return data
    record = find_record(folder)
    if record is None and data is None:
        raise UserError(
            f"no table is given, and {folder} does not tell which one it was trained on; name a "
            "file, a folder or a data set"
        )
    if record is not None and (data is None or record.is_of(data)):
        return record.tables(data, columns, dev=dev, test=test, on_progress=on_progress)
    config = from_dict(TableConfig, WHOLE | dict(columns or {}))
    dev, test = (config.dev if dev is None else dev), (config.test if test is None else test)
    return make_tables(data, config, dev=dev, test=test, on_progress=on_progress)
