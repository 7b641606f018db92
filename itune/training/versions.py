"""What a result was made with: versions of packages, the commit of a source tree, the machine."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import itune

PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy", "transformers")


def versions() -> dict[str, str]:
    """Versions of Python and of what computes, and the commit if itune runs from a repository."""
    return {
        "itune": itune.__version__,
        "commit": commit(),
        "python": platform.python_version(),
        **{package: importlib.metadata.version(package) for package in PACKAGES},
    }


def commit() -> str:
    """The short hash of the checked-out commit, ``-dirty`` if files differ; else ``unknown``."""
    folder = str(Path(__file__).parent)
    command = ["git", "-C", folder, "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return run.stdout.strip()


def machine() -> str:
    """The processor and how many cores of it there are, as the system calls it."""
    return f"{_processor()}, {os.cpu_count()} cores"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        fields = dict(reversed([map(str.strip, x.split(":", 1)) for x in lines if ":" in x]))
    except OSError:
        return platform.processor() or platform.machine()
    names = ("model name", "cpu family", "model")
    return " ".join(f"{name} {fields[name]}" for name in names if name in fields).removeprefix(
        "model name "
    )
