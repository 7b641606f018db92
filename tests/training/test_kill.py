"""SIGKILL in the middle of a real run of run.py, then --resume: the same bytes as without."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import pytest

import run

SCRIPT = Path(__file__).parents[2] / "experiments" / "run.py"
VALUES = {
    "max_length": 16,
    "cid_probes": 4,
    "cid_when": "end",
    "data.textlen.train_size": 44,
    "data.textlen.dev_size": 8,
    "data.textlen.test_size": 8,
    "label.epochs": 4,
    "label.batch": 8,
    "label.learning_rate": 0.01,
    "methods": "finetuning",
    "seeds": 1,
}


@pytest.fixture(scope="module")
def command(small_encoder):
    values = {"encoder": small_encoder, **VALUES}
    return [word for name, value in values.items() for word in (f"--{name}", str(value))]


def start(*command):
    """Start run.py in a process of its own."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, (SCRIPT.parents[1], SCRIPT.parent))),
        "JAX_COMPILATION_CACHE_DIR": jax.config.jax_compilation_cache_dir,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    return subprocess.Popen(
        [sys.executable, SCRIPT, *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def as_in_a_process_of_its_own():
    """Undo the rules that hold for tests alone."""
    with (
        jax.enable_x64(False),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        yield


def checkpoints(folder):
    """Finished checkpoints: pieces of work that were done."""
    folder = folder / "checkpoints"
    return [int(p.name) for p in folder.iterdir() if p.name.isdecimal()] if folder.exists() else []


def outcome(folder):
    return [(folder / name).read_bytes() for name in ("metrics.jsonl", "model/model.safetensors")]


def test_sigkill_and_resume(command, tmp_path):
    command = [*command, "--out", str(tmp_path)]
    process = start(*command, "--checkpoint_seconds", "0", "--name", "killed")
    killed = tmp_path / "killed" / "finetuning-1"
    while max(checkpoints(killed), default=0) < 5:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL and not (killed / "result.json").exists()
    with as_in_a_process_of_its_own():
        run.main([*command, "--name", "killed", "--resume"])
        run.main([*command, "--name", "whole"])
    assert outcome(killed) == outcome(tmp_path / "whole" / "finetuning-1")
