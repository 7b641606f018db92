"""Two processes of two devices each, by the real coordination service on this machine."""

import os
import shutil
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest

from tests.helpers.many_devices import on_devices
from tests.helpers.tiny_method import assert_close
from tests.metrics.test_devices import cid, matrix
from tests.training.test_devices import assert_same, run


def start(folder, killed_after=0):
    """Start both processes, with a port that was free just now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": jax.config.jax_compilation_cache_dir}
    command = [sys.executable, "-m", "tests.helpers.process_run", address]
    return [
        subprocess.Popen(
            [*command, str(number), str(folder), str(killed_after)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]


@pytest.fixture(scope="module")
def on_one(tmp_path_factory):
    return run("pooled", tmp_path_factory.mktemp("one"))


def test_as_one_process_on_one_device(on_one, tmp_path):
    """With divided parameters; only the first process writes into the folder."""
    processes = start(tmp_path)
    for number, process in enumerate(processes):
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert ("finished" in output) == ("step 6" in errors) == (number == 0)
    assert {path.name for path in tmp_path.iterdir()} == {
        "checkpoints",
        "found.npz",
        "metrics.jsonl",
    }
    found = np.load(tmp_path / "found.npz")
    leaves = [found[f"leaf {i}"] for i in range(len(jax.tree.leaves(on_one[0])))]
    assert_close(leaves, jax.tree.leaves(on_one[0]))
    assert_close(found["differences"], cid()[2])
    assert_close(found["matrix"], matrix())


def test_one_is_killed(on_one, tmp_path, capsys):
    """In the first round; then one process goes on, with one device, and with four."""
    processes = start(tmp_path / "run", killed_after=12)
    processes[1].communicate(timeout=300)
    processes[0].kill()  # which would notice by itself, a minute later
    processes[0].communicate()
    assert (tmp_path / "run" / "checkpoints" / "12").is_dir()
    for count in (1, 4):
        folder = shutil.copytree(tmp_path / "run", tmp_path / f"on {count}")
        capsys.readouterr()
        with on_devices(count):
            assert_same(run("pooled", folder), on_one)
        assert "before round 1" not in capsys.readouterr().err  # which was before the checkpoint
