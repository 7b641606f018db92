"""What a run's folder tells of the data that its model was trained on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from itune.config import to_dict
from itune.config.keys import changed_values
from itune.config.mappings import from_dict
from itune.corpora.tasks import DataConfig
from itune.errors import UserError, as_path
from itune.methods.registry import METHODS
from itune.models import find_model, load_config, model_folder
from itune.tables.config import TableConfig
from itune.tables.further import Further, read_further
from itune.tables.objects import find_sources
from itune.tables.sources import TASK_NAMES, open_task
from itune.tables.splits import AUTO
from itune.tables.table import Tables, make_tables
from itune.tables.tasks import task_tables
from itune.training.settings import TrainingConfig
from itune.utils.progress import OnProgress, no_progress

WHOLE = {"dev_fraction": 0.0, "test_fraction": 0.0}
"""How a table is split that no run is known of: all rows count as trained on."""

CONFOUND = ("confound", "bins", "rule", "rule_on")
"""Settings of a table that make its confound, by which dev and test are drawn."""


@dataclass(frozen=True)
class RunRecord:
    """The contents of a run's ``config.json``.

    ``source`` is a task and its recipe, or a table and how it was split, whose ``train`` is empty
    if the rows were given in Python; ``digest`` is the SHA-256 of the data.
    """

    path: Path
    method: str
    config: TrainingConfig
    source: DataConfig | TableConfig
    digest: str

    def is_of(self, data: Any) -> bool:
        """Return whether data can be the run's: its name or path, or rows if it was on a table."""
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

        ``data`` are its training rows in another form, None for those at the recorded place;
        ``columns`` are fields of :class:`~itune.tables.TableConfig` that differ from its own.
        """
        if isinstance(self.source, DataConfig):
            is_control = METHODS[self.method].uses_control
            config = from_dict(TableConfig, columns or {})
            return task_tables(self.source, config, is_control=is_control)
        columns = {} if columns is None else columns
        known = to_dict(self.source) | dict(columns)
        if "confound" in columns and "rule" not in columns:
            known["rule"] = None  # which would be preferred to the column
        if not {"confound", "rule"}.isdisjoint(columns) and "bins" not in columns:
            known["bins"] = None  # they are of the run's column
        config = from_dict(TableConfig, known)
        data = self._named(self.source.train) if data is None else data
        as_then = replace(config, **{name: getattr(self.source, name) for name in CONFOUND})
        like = None
        if as_then != config and _draws(data, config, dev, test):
            like = _read(data, replace(as_then, matched=()), dev, test, on_progress)
        return _read(data, config, dev, test, on_progress, like)

    def _named(self, train: str) -> Any:
        """Return the training rows by their name in the record, where files have absolute paths."""
        if not train:
            raise UserError(
                f"no table is given, and {self.path.parent} was trained on rows given in Python, "
                "which it does not keep; give them again, or a file of them"
            )
        return open_task(train) if train in TASK_NAMES else train


def _resolved(name: str | Path) -> Path:
    return as_path(name).resolve()


def read_record(folder: str | Path) -> RunRecord:
    """Read the record of a run on a task, or on a table that can be described."""
    path = Path(folder) / "config.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        settings = dict(record["config"])
        if "table" in record:
            table = dict(record["table"].items())
            for split in ("dev", "test"):
                table[split] = table.get(split) or AUTO  # null in runs of version 0.2
            source = from_dict(TableConfig, table, source=str(path))
        elif "data" in settings:
            source = from_dict(DataConfig, settings.pop("data"), source=str(path))
        else:
            raise UserError(f"{path} does not tell what data the run was on; give them")
        config = from_dict(TrainingConfig, settings, source=str(path))
        method, digest = record["method"], record["data_sha256"]
    except UserError:
        raise
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
    """Read the record of the run that has made a model; None if none has, or it cannot be read."""
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

    If the data are not the run's, all rows count as trained on unless the columns say otherwise.
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
    return _read(data, config, dev, test, on_progress)


def source_of(folder: str | Path, data: Any) -> DataConfig | TableConfig | None:
    """Return the data of a model's run if they can be these; None if it is of no run, or others."""
    record = find_record(folder)
    return None if record is None or not (data is None or record.is_of(data)) else record.source


EVERY, NO_COLUMN = "auto", "none"
"""In place of the names of further columns: all that are there, or none."""


def further_of_model(
    folder: str | Path,
    data: Any,
    columns: Mapping[str, Any],
    names: Sequence[str],
    *,
    dev: Any = None,
    test: Any = None,
) -> Further:
    """Read further columns of the table of a model, by name, or all of them (:data:`EVERY`)."""
    names, is_every = tuple(names), tuple(names) == (EVERY,)
    source = source_of(folder, data)
    if names in ((), (NO_COLUMN,)):
        return Further()
    if isinstance(data, Tables) or isinstance(source, DataConfig):
        if is_every:
            return Further()
        raise UserError("columns are of a table that is a file or is given by its rows; give that")
    config = from_dict(TableConfig, (to_dict(source) if source else {}) | dict(columns))
    given = {"train": data, "dev": dev, "test": test}
    given = {name: getattr(config, name) if rows is None else rows for name, rows in given.items()}
    wanted = None if is_every else names
    return read_further(given["train"], config, wanted, dev=given["dev"], test=given["test"])


def describe_source(
    folder: str | Path,
    data: Any,
    columns: Mapping[str, Any],
    *,
    dev: Any = None,
    test: Any = None,
) -> dict[str, Any] | None:
    """Return settings by which a command reads a table again, but for its confound.

    None stands for rows that were given in Python; the whole is None if only the run knows it.
    """
    source = source_of(folder, data)
    if isinstance(source, DataConfig):
        return {"train": source.task} if source == DataConfig(task=source.task) else None
    given = {"train": data, "dev": dev, "test": test}
    named = {name: str(rows) for name, rows in given.items() if isinstance(rows, str | Path)}
    others = {name: None for name, rows in given.items() if rows is not None} | {"train": None}
    no_confound = {name: getattr(TableConfig(), name) for name in (*CONFOUND, "matched")}
    known = (to_dict(source) if source else {}) | dict(columns) | named | no_confound
    config = from_dict(TableConfig, known)
    # Of a model without a run all rows count as trained on, unless this is said.
    fractions = {name: columns[name] for name in WHOLE if columns.get(name)}
    return others | changed_values(config, TableConfig()) | fractions | named


def _draws(data: Any, config: TableConfig, dev: Any, test: Any) -> bool:
    """Return whether dev or test are drawn from train, by the confound among others."""
    dev, test = _splits(config, dev, test)
    found = find_sources(data, dev, test, config.subset, config.revision)
    fractions = {"dev": config.dev_fraction, "test": config.test_fraction}
    return any(fraction and split not in found for split, fraction in fractions.items())


def _read(
    data: Any,
    config: TableConfig,
    dev: Any,
    test: Any,
    on_progress: OnProgress,
    like: Tables | None = None,
) -> Tables:
    dev, test = _splits(config, dev, test)
    return make_tables(data, config, dev=dev, test=test, like=like, on_progress=on_progress)


def _splits(config: TableConfig, dev: Any, test: Any) -> tuple[Any, Any]:
    return (config.dev if dev is None else dev), (config.test if test is None else test)
