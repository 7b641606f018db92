"""The metrics of a run, ``metrics.jsonl``: one row for each update and evaluation."""

import json
import os
from pathlib import Path
from typing import Any

from itune.errors import UserError, option
from itune.training.formats import upgrade
from itune.utils.json import to_jsonable


class MetricsLog:
    """A JSON-lines file to append to, cut back to where a checkpoint was saved."""

    def __init__(self, path: Path, keep_bytes: int = 0) -> None:
        size = path.stat().st_size if path.exists() else 0
        if size < keep_bytes:
            raise UserError(
                f"{path} has {size} bytes but had {keep_bytes} at the checkpoint: it is damaged; "
                f"start over with {option('overwrite', True)}, or delete the run's folder"
            )
        self._path = Path(path)
        self._file = open(path, "ab")  # noqa: SIM115 (closed by close)
        self._file.truncate(keep_bytes)

    def write(self, row: dict[str, Any]) -> None:
        """Append a row; NaN and infinities, which JSON lacks, become null."""
        self._file.write((json.dumps(to_jsonable(row)) + "\n").encode())

    def rows(self) -> list[dict[str, Any]]:
        """Return all rows of the file."""
        self._file.flush()
        return read_metrics(self._path)

    def flush(self) -> int:
        """Force the rows to disk; return the file's length in bytes."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        """Force the rows to disk and close the file."""
        self.flush()
        self._file.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a ``metrics.jsonl`` of any version."""
    return [upgrade(json.loads(line)) for line in Path(path).read_text().splitlines()]
