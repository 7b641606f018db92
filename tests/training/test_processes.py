"""Two processes of two devices each, by the real coordination service on this machine.

The first finds its place by what SLURM tells each process of a job, the second is told it.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
from typing import NamedTuple

import jax
import numpy as np
import pytest

from tests.helpers.many_devices import on_devices
from tests.helpers.tiny_method import assert_close
from tests.helpers.tiny_runs import assert_same, run
from tests.metrics.test_devices import cid, matrix

PIECES = 12
"""Pieces of work after which process 1 is killed, in the first round."""


class Ended(NamedTuple):
    """How a process came to its end, and what it printed."""

    status: int
    output: str
    errors: str


def start(folder):
    """Start both processes, with a port that was free just now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": jax.config.jax_compilation_cache_dir}
    slurm = {
        "SLURM_JOB_ID": "1",
        "SLURM_STEP_NODELIST": "127.0.0.1",
        "SLURM_NTASKS": "2",
        "SLURM_PROCID": "0",
        "SLURM_LOCALID": "0",
        "JAX_COORDINATOR_PORT": port,  # by default it follows from the number of the job
    }
    command = [sys.executable, "-m", "tests.helpers.process_run"]
    return [
        subprocess.Popen(
            [*command, coordinator, str(number), str(folder), str(PIECES)],
            env=environment | added,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number, (coordinator, added) in enumerate([("auto", slurm), (f"127.0.0.1:{port}", {})])
    ]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of both processes, which have trained once and a part, and how they ended."""
    folder = tmp_path_factory.mktemp("processes")
    processes = start(folder)
    printed = [processes[1].communicate(timeout=300)]
    processes[0].kill()  # which would notice by itself, a minute later
    printed.insert(0, processes[0].communicate())
    ends = [Ended(of.returncode, *texts) for of, texts in zip(processes, printed, strict=True)]
    return folder, ends


@pytest.fixture(scope="module")
def on_one(tmp_path_factory):
    return run("pooled", tmp_path_factory.mktemp("one"))


def test_as_one_process_on_one_device(trained, on_one):
    """With divided parameters; only the first process writes into the folder."""
    folder, ends = trained
    for number, end in enumerate(ends):
        assert end.status == -signal.SIGKILL, end.errors
        assert ("finished" in end.output) == ("step 6" in end.errors) == (number == 0)
    assert {path.name for path in (folder / "whole").iterdir()} == {
        "checkpoints",
        "found.npz",
        "metrics.jsonl",
    }
    found = np.load(folder / "whole" / "found.npz")
    leaves = [found[f"leaf {i}"] for i in range(len(jax.tree.leaves(on_one[0])))]
    assert_close(leaves, jax.tree.leaves(on_one[0]))
    assert_close(found["differences"], cid()[2])
    assert_close(found["matrix"], matrix())


def test_one_is_killed(trained, on_one, tmp_path, capsys):
    """In the first round; then one process goes on, with one device, and with four."""
    killed = trained[0] / "killed"
    assert (killed / "checkpoints" / str(PIECES)).is_dir()
    for count in (1, 4):
        folder = shutil.copytree(killed, tmp_path / f"on {count}")
        capsys.readouterr()
        with on_devices(count):
            assert_same(run("pooled", folder), on_one)
        assert "before round 1" not in capsys.readouterr().err  # which was before the checkpoint
