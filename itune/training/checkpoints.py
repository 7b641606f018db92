"""Checkpoints of a run: its whole state, where it is, and how much of the record is true."""

import contextlib
import errno
import logging
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import jax
from orbax.checkpoint import v1 as ocp

from itune.errors import UserError

KEPT = 2

SPARE = 2**20
"""Bytes of a checkpoint beside its arrays, at most."""


class Position(NamedTuple):
    """Where a run stands.

    Attributes:
      work: pieces of work that are done.
      record_bytes: length of the metrics file when they were.
      seconds: wall clock spent on them, over all sessions of the run.
    """

    work: int
    record_bytes: int
    seconds: float


@contextlib.contextmanager
def _quiet():
    """Orbax logs the traceback of what it raises; of tensorstore, what the system says."""
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    except ValueError as error:
        raise OSError(f"no checkpoint: {' '.join(str(error).split())[:200]}") from error
    finally:
        logger.setLevel(before)


class Checkpoints:
    """Saves and restores states under a folder; the newest :data:`KEPT` stay.

    A save is atomic: a process killed in the middle of one leaves the earlier ones.
    """

    def __init__(self, folder: Path):
        policy = ocp.training.preservation_policies.LatestN(KEPT)
        self._folder = Path(folder).resolve()
        self._checkpointer = ocp.training.Checkpointer(
            self._folder, preservation_policy=policy, cleanup_tmp_directories=True
        )

    def save(self, position: Position, state: Any) -> None:
        """Writes the state and waits until it is on disk; a position saved already is left.

        Raises:
          OSError: it cannot be written, such as on a full disk.
        """
        latest = self._checkpointer.latest
        if latest is not None and latest.step == position.work:
            return
        self._require_room(state)
        metadata = dict(position._asdict())
        with _quiet():
            self._checkpointer.save(position.work, state, force=True, custom_metadata=metadata)

    def restore(self, state: Any) -> tuple[Position, Any] | None:
        """The newest position and state, or None where there is none.

        Args:
          state: a state of the same structure, shapes and dtypes.

        Raises:
          UserError: the checkpoint is of another structure or shape.
        """
        latest = self._checkpointer.latest
        if latest is None:
            return None
        abstract = jax.tree.map(
            lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding), state
        )
        try:
            restored = self._checkpointer.load(latest.step, abstract)
        except (ValueError, KeyError, FileNotFoundError) as error:
            raise UserError(
                f"{self._folder}: checkpoint {latest.step} does not fit this configuration or is "
                "damaged; delete the run's folder, or start over with --overwrite"
            ) from error
        metadata = self._checkpointer.metadata(latest.step).custom_metadata
        return Position(**metadata), restored

    def _require_room(self, state: Any) -> None:
        """Looks first: the threads of a save that fails on the way print tracebacks."""
        needed = SPARE + sum(leaf.nbytes for leaf in jax.tree.leaves(state))
        if shutil.disk_usage(self._folder).free < needed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Releases the checkpointer's threads.

        Raises:
          OSError: as :meth:`save`, of what it had begun.
        """
        with _quiet():
            self._checkpointer.close()
