"""The settings of what work runs on, which all commands that compute have."""

import atexit
import os
import re
import shutil
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from itune.errors import UserError, require
from itune.utils.progress import say, silence_progress
from itune.utils.suggestions import require_one_of

AUTO = "auto"
EXAMPLES, PARAMS = "examples", "params"

TIMEOUT = 300
"""Seconds that a process waits for the others at the start."""


@dataclass(frozen=True)
class HardwareConfig:
    """What the work runs on; results do not depend on it, but for rounding.

    Attributes:
      devices: Number of devices to use, of each process if there are several; None uses all.
      shard: What is divided among the devices: examples; or params, which divides the parameters
        and the optimizers' states as well, and takes less memory and more time.
      coordinator: Address HOST:PORT of process 0 of several processes that do one piece of work
        together; auto asks SLURM, a TPU pod or Open MPI. None works in one process.
      processes: Number of processes; needed with the address of a coordinator.
      process: Number of this process, from 0; needed with the address of a coordinator.
    """

    devices: int | None = None
    shard: str = EXAMPLES
    coordinator: str | None = None
    processes: int | None = None
    process: int | None = None

    def __post_init__(self):
        require(self, "a positive integer", lambda v: v is None or v >= 1, "devices", "processes")
        require(self, "0 or more", lambda v: v is None or v >= 0, "process")
        require_one_of(self, shard=(EXAMPLES, PARAMS))
        numbers = self.processes, self.process
        if self.coordinator in (None, AUTO):
            if numbers != (None, None):
                raise UserError(
                    "processes and process need the address of a coordinator; give all processes "
                    "the same coordinator HOST:PORT"
                )
        elif self.processes is None or self.process is None:
            raise UserError(
                "coordinator is an address but processes or process is not set; give both"
            )
        elif self.process >= self.processes:
            raise UserError(
                f"process is {self.process} but there are {self.processes}; count from 0"
            )
        elif not re.fullmatch(r".+:\d+", self.coordinator):
            raise UserError(
                f"coordinator must be {AUTO} or an address such as 10.0.0.1:9911, got "
                f"{self.coordinator!r}"
            )

    def begin(self, out: Path) -> Path:
        """Use these devices from now on, and return the folder that this process writes to.

        That is the folder itself; or, of all but the first of several processes, a copy of it that
        is deleted at the end, as is all that they print. They need a file system in common.

        Args:
          out: Folder of the results.

        Raises:
          UserError: The devices are not there, or the processes do not find one another.
        """
        if self.coordinator is not None:
            self._join()
        from itune.utils.devices import is_first_process, share_folder, wait_for_all

        self.choose_devices()
        if is_first_process():
            wait_for_all("folders")
            return out
        copy = Path(tempfile.mkdtemp(prefix="itune-"))
        atexit.register(shutil.rmtree, copy, ignore_errors=True)
        if out.is_dir():
            shared = shutil.ignore_patterns("checkpoints")
            shutil.copytree(out, copy, ignore=shared, dirs_exist_ok=True)
        wait_for_all("folders")
        share_folder(copy, out)
        silence_progress()
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (until the process ends)
        return copy

    def choose_devices(self) -> None:
        """Use these devices from now on; leave what was chosen before if nothing is set.

        Raises:
          UserError: The devices are not there.
        """
        from itune.utils.devices import use_devices

        if (self.devices, self.shard, self._together) != (None, EXAMPLES, None):
            use_devices(self.devices, divide_params=self.shard == PARAMS, together=self._together)

    @property
    def _together(self) -> int | None:
        """How many runs may advance together; None where there are not several."""
        return None

    def _join(self) -> None:
        import jax

        address = None if self.coordinator == AUTO else self.coordinator
        if address and self.process:
            _wait_for(address)
        else:
            say(f"waiting for the other processes, {TIMEOUT} seconds at most")
        try:
            jax.distributed.initialize(
                address,
                self.processes,
                self.process,
                cluster_detection_method="deactivate" if address else None,
                initialization_timeout=TIMEOUT,
            )
        except (RuntimeError, ValueError) as error:
            raise UserError(
                f"the processes do not find one another by coordinator {self.coordinator!r} "
                f"({' '.join(str(error).split())[:200]}); give all the same HOST:PORT of "
                "process 0, and each its number"
            ) from error


@dataclass(frozen=True)
class RunsHardwareConfig(HardwareConfig):
    """What several runs work on; each comes to what it would alone, but for rounding.

    Attributes:
      together: Number of runs of one method with different seeds that advance together in one
        program, on one device, and share its time; None takes 1 on a CPU, and as many as fit into
        the memory of an accelerator.
    """

    together: int | None = None

    def __post_init__(self):
        super().__post_init__()
        require(self, "a positive integer", lambda v: v is None or v >= 1, "together")

    @property
    def _together(self) -> int | None:
        return self.together


def _wait_for(address: str) -> None:
    """Wait for process 0, without which JAX ends a process by a message of its own."""
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
            return
        except OSError as error:
            if time.monotonic() > deadline or isinstance(error, socket.gaierror):
                raise UserError(
                    f"no process 0 at coordinator {address} ({error.strerror or error}); start it "
                    "there, and give its address to all"
                ) from None
        time.sleep(0.2)
