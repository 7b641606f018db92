"""One of two processes that train and measure together: ``python -m tests.helpers.process_run``.

Takes a coordinator, the number of the process, a folder, and after how many pieces of work process
1 is killed; 0 for never. The first process leaves the parameters and influences in the folder.
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
    from itune.training.loop import _Session
    from itune.utils.files import save_arrays
    from itune.utils.hardware import HardwareConfig

    hardware = HardwareConfig(
        shard="params", coordinator=coordinator, processes=2, process=int(number)
    )
    Path(folder).mkdir(exist_ok=True)
    folder = hardware.begin(Path(folder))

    from tests.metrics.test_devices import cid, matrix
    from tests.training.test_devices import run

    if int(most):
        do = _Session.do

        def do_or_die(session):
            if session.done == int(most) and number == "1":
                os.kill(os.getpid(), signal.SIGKILL)
            do(session)

        _Session.do = do_or_die
    params, _ = run("pooled", folder, 0 if int(most) else 1e9)
    leaves = {f"leaf {i}": leaf for i, leaf in enumerate(jax.tree.leaves(params))}
    save_arrays(folder / "found.npz", matrix=matrix(), differences=cid()[2], **leaves)
    print("finished")


if __name__ == "__main__":
    main(*sys.argv[1:])
