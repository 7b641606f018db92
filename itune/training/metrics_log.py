"""What a run leaves behind in text: ``metrics.jsonl`` and other JSON, written so as not to tear."""

import json
import os
from pathlib import Path
from typing import Any

from itune.errors import UserError
from itune.training.formats import upgraded
from itune.utils.json import to_jsonable


class Record:
    """A JSON-lines file that can be cut back to where a checkpoint was made."""

    def __init__(self, path: Path, keep_bytes: int = 0):
        """Opens ``path``, keeping its first ``keep_bytes`` bytes.

        Raises:
          UserError: it has fewer.
        """
        size = path.stat().st_size if path.exists() else 0
        if size < keep_bytes:
            raise UserError(
                f"{path} has {size} bytes but had {keep_bytes} at the checkpoint: it is damaged; "
                "start over with --overwrite"
            )
        self._path = Path(path)
        self._file = open(path, "ab")  # noqa: SIM115 (closed by close)
        self._file.truncate(keep_bytes)

    def write(self, row: dict[str, Any]) -> None:
        """Appends one row; NaN and infinities, which JSON lacks, become null."""
        self._file.write((json.dumps(to_jsonable(row)) + "\n").encode())

    def rows(self) -> list[dict[str, Any]]:
        """What has been written so far."""
        self._file.flush()
        return read_rows(self._path)

    def flush(self) -> int:
        """Forces the rows to disk; returns the file's length."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        """Flushes and closes."""
        self.flush()
        self._file.close()


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a ``metrics.jsonl`` of any version."""
    return [upgraded(json.loads(line)) for line in Path(path).read_text().splitlines()]
