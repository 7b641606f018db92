"""One of two processes that train and measure together: ``python -m tests.helpers.process_run``.

Takes a coordinator or auto, the number of the process, a folder, and after how many pieces of work
process 1 is killed. The first process leaves the parameters and influences in the folder's
``whole``; then both train once more in its ``killed``, where process 1 comes to its end.
"""

import os
import signal
import sys
from pathlib import Path

import jax


def main(coordinator, number, folder, most):
    """Train by pooled influence tuning; measure CID of everyone, and influences of all pairs."""
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_num_cpu_devices", 2)
    from itune.training.checkpoints import Checkpoints
    from itune.training.loop import _Session
    from itune.utils.files import save_arrays
    from itune.utils.hardware import HardwareConfig

    place = {} if coordinator == "auto" else {"processes": 2, "process": int(number)}
    hardware = HardwareConfig(shard="params", coordinator=coordinator, **place)
    folder = hardware.begin(Path(folder))

    from tests.helpers.tiny_runs import run
    from tests.metrics.test_devices import cid, matrix

    params, _ = run("pooled", folder / "whole", 1e9)
    leaves = {f"leaf {i}": leaf for i, leaf in enumerate(jax.tree.leaves(params))}
    found = {"matrix": matrix(), "differences": cid()[2]}
    save_arrays(folder / "whole" / "found.npz", **found, **leaves)
    print("finished", flush=True)

    most, prepare, save = int(most), _Session.prepare, Checkpoints.save

    def prepare_or_die(session):
        if session.done == most and number == "1":
            os.kill(os.getpid(), signal.SIGKILL)
        return prepare(session)

    def save_the_last(checkpoints, info, state):
        """Earlier checkpoints than the newest are not looked at."""
        if info.work == most:
            save(checkpoints, info, state)

    _Session.prepare, Checkpoints.save = prepare_or_die, save_the_last
    run("pooled", folder / "killed", 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
