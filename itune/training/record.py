"""What a run's folder tells of the data that its model was trained on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itune.config import to_dict
from itune.config.mappings import from_dict
from itune.corpora.tasks import DataConfig
from itune.errors import UserError
from itune.methods.registry import METHODS
from itune.models import find_model, load_config, model_folder
from itune.tables.sources import TASK_NAMES, open_task
from itune.tables.table import TableConfig, Tables, make_tables
from itune.tables.tasks import task_tables
from itune.training.settings import TrainingConfig
from itune.utils.progress import OnProgress, no_progress

WHOLE = {"dev_fraction": 0.0, "test_fraction": 0.0}
"""How a table is split that no run is known of: all rows count as trained on."""


@dataclass(frozen=True)
class RunRecord:
    """The contents of a run's ``config.json``.

    Attributes:
      path: Path of the ``config.json``.
      method: Key of :data:`~itune.methods.registry.METHODS`.
      config: All settings of training.
      source: Where the data came from: a task and its recipe, or a table and how it was split; its
        ``train`` is empty if the rows were given in Python.
      digest: SHA-256 of the data, in hexadecimal.
    """

    path: Path
    method: str
    config: TrainingConfig
    source: DataConfig | TableConfig
    digest: str

    def is_of(self, data: Any) -> bool:
        """Return whether some data can be those of the run.

        Args:
          data: A name or a path, which must be the run's; or rows, which can be those of a table.
        """
        source = self.source
        if not isinstance(data, str | Path):
            return isinstance(source, TableConfig)
        if isinstance(source, TableConfig):
            return not source.train or _resolved(data) == _resolved(source.train)
        is_folder = Path(source.source).is_dir()
        return _resolved(data) == _resolved(source.source) if is_folder else data == source.task

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
          data: The training rows of the run in another form; None to read them from the place that
            the record names.
          columns: Fields of :class:`~itune.tables.table.TableConfig` that differ from the run's.
          dev: Other rows of dev, or the name of a split.
          test: Other rows of test, or the name of a split.
          on_progress: Called with the number of rows read.

        Raises:
          UserError: The data cannot be read, the run does not tell where they are, or a field is
            unknown.
        """
        if isinstance(self.source, DataConfig):
            is_control = METHODS[self.method].uses_control
            config = from_dict(TableConfig, columns or {})
            return task_tables(self.source, config, is_control=is_control)
        known = to_dict(self.source) | dict(columns or {})
        if columns and "confound" in columns and "rule" not in columns:
            known["rule"] = None  # which would be preferred to the column
        config = from_dict(TableConfig, known)
        data = self._named(self.source.train) if data is None else data
        dev, test = (config.dev if dev is None else dev), (config.test if test is None else test)
        return make_tables(data, config, dev=dev, test=test, on_progress=on_progress)

    def _named(self, train: str) -> Any:
        """Return the training rows by their name in the record, where files have absolute paths."""
        if not train:
            raise UserError(
                f"no table is given, and {self.path.parent} was trained on rows given in Python, "
                "which it does not keep; give them again, or a file of them"
            )
        return open_task(train) if train in TASK_NAMES else train


def _resolved(name: str | Path) -> Path:
    return Path(name).expanduser().resolve()


def read_record(folder: str | Path) -> RunRecord:
    """Read the record of a run on a task, or on a table that can be described.

    Args:
      folder: Folder of the run.

    Raises:
      UserError: ``config.json`` is missing or damaged, or does not tell what the run was on.
    """
    path = Path(folder) / "config.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        settings = dict(record["config"])
        if "table" in record:
            source = from_dict(TableConfig, record["table"], source=str(path))
        elif "data" in settings:
            source = from_dict(DataConfig, settings.pop("data"), source=str(path))
        else:
            raise UserError(f"{path} does not tell what data the run was on; give them")
        config = from_dict(TrainingConfig, settings, source=str(path))
        method, digest = record["method"], record["data_sha256"]
    except OSError as error:
        raise UserError(
            f"cannot read {path} ({error.strerror}); name the folder of a run"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is damaged, or of no run ({error!r}); run it again") from None
    if method not in METHODS:
        raise UserError(f"{path} is damaged: it is of method {method!r}; run it again")
    return RunRecord(path, method, config, source, digest)


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
    """Read the table of a model; the folder of its run supplies what is not given.

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
      UserError: The folder holds no model, there is no table, or it cannot be read.
    """
    if isinstance(data, Tables):
        return data
    load_config(find_model(folder))
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
