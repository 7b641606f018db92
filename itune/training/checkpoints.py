"""Checkpoints of a run: its whole state, and how far it has come."""

import contextlib
import errno
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import jax
from orbax.checkpoint import v1 as ocp

from itune.errors import UserError, option
from itune.methods.base import State
from itune.training.formats import upgrade
from itune.utils.devices import shared_path, wait_for_all

NEWEST_TO_KEEP = 2

METADATA_BYTES = 2**20
"""Upper bound of the size of a checkpoint beside its arrays."""


class CheckpointInfo(NamedTuple):
    """How far a run has come: finished pieces of work, bytes of ``metrics.jsonl``, seconds."""

    work: int
    metrics_bytes: int
    seconds: float


@contextlib.contextmanager
def _os_errors_only() -> Iterator[None]:
    """Keep Orbax from logging tracebacks, and turn the ValueErrors of tensorstore into OSErrors."""
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
    """Saves and restores the states of a run; the newest :data:`NEWEST_TO_KEEP` are kept.

    Saving is atomic: a process that is killed while it saves leaves the earlier checkpoints.
    """

    def __init__(self, folder: Path) -> None:
        policy = ocp.training.preservation_policies.LatestN(NEWEST_TO_KEEP)
        self._folder = shared_path(Path(folder))
        wait_for_all("checkpoints")  # until what was to be deleted is
        self._checkpointer = ocp.training.Checkpointer(
            str(self._folder),
            preservation_policy=policy,  # pyrefly: ignore[bad-argument-type] (orbax annotates a protocol it does not meet)
            cleanup_tmp_directories=True,
        )

    def save(self, info: CheckpointInfo, state: State) -> None:
        """Write a state and wait until it is on disk; does nothing if it is there already."""
        latest = self._checkpointer.latest
        if latest is not None and latest.step == info.work:
            return
        self._require_room(state)
        metadata = dict(info._asdict())
        with _os_errors_only():
            self._checkpointer.save(info.work, state, force=True, custom_metadata=metadata)

    def restore(self, state: State) -> tuple[CheckpointInfo, State] | None:
        """Return the newest checkpoint, or None; ``state`` gives structure, shapes and dtypes."""
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
                f"damaged; delete the run's folder, or start over with {option('overwrite', True)}"
            ) from error
        metadata = self._checkpointer.metadata(latest.step).custom_metadata
        return CheckpointInfo(**upgrade(metadata)), restored

    def close(self) -> None:
        """Release the checkpointer's threads."""
        with _os_errors_only():
            self._checkpointer.close()

    def _require_room(self, state: State) -> None:
        """Check for room first: the threads of a save that fails on the way print tracebacks."""
        needed = METADATA_BYTES + sum(leaf.nbytes for leaf in jax.tree.leaves(state))
        if shutil.disk_usage(self._folder).free < needed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
