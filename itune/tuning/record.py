"""What the folder of a run tells of the table it was trained on."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from itune.config import from_dict
from itune.errors import UserError
from itune.models import model_folder
from itune.tables.table import TableConfig


class TableRecord(NamedTuple):
    """The table of a run.

    Attributes:
      config: where its rows came from, and how they were split; ``train`` is empty where they were
        given in Python.
      digest: SHA-256 of them.
    """

    config: TableConfig
    digest: str

    def is_of(self, data: Any) -> bool:
        """Whether a table can be this one: the same by name, or rows, which have none."""
        is_named = isinstance(data, str | Path) and self.config.train
        return not is_named or _resolved(data) == _resolved(self.config.train)


def _resolved(name: str | Path) -> Path:
    return Path(name).expanduser().resolve()


def table_record(folder: str | Path) -> TableRecord | None:
    """Reads what :func:`~itune.tuning.tune.tune` has noted beside a model.

    Args:
      folder: of the run, or the ``model`` in there.

    Returns:
      None where the model is of other people, or was trained on something else than a table.
    """
    model = model_folder(folder).resolve()
    if model.name != "model":
        return None
    try:
        found = json.loads((model.parent / "config.json").read_text(encoding="utf-8"))
        return TableRecord(from_dict(TableConfig, found["table"]), found["data_sha256"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UserError):
        return None
