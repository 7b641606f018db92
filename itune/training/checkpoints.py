"""Checkpoints of a run: its whole state, where it is, and how much of the record is true."""

import contextlib
import logging
from pathlib import Path
from typing import Any, NamedTuple

import jax
from orbax.checkpoint import v1 as ocp

from itune.errors import UserError

KEPT = 2


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
    """Orbax logs the traceback of what it raises."""
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
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
        metadata = dict(position._asdict())
        with _quiet():
            try:
                self._checkpointer.save(position.work, state, force=True, custom_metadata=metadata)
            except ValueError as error:  # as tensorstore raises what the system says
                raise OSError(f"no checkpoint: {' '.join(str(error).split())[:200]}") from error

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
                "damaged; delete the run's folder, or start over with --overwrite true"
            ) from error
        metadata = self._checkpointer.metadata(latest.step).custom_metadata
        return Position(**metadata), restored

    def close(self) -> None:
        """Releases the checkpointer's threads."""
        with _quiet():
            self._checkpointer.close()
