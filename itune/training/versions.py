"""What a run was made with: versions of packages, the commit of the source, the machine."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import itune

PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy", "transformers")


def versions() -> dict[str, str]:
    """Return the versions of itune, Python and the packages that compute, and the commit."""
    return {
        "itune": itune.__version__,
        "commit": commit(),
        "python": platform.python_version(),
        **{package: importlib.metadata.version(package) for package in PACKAGES},
    }


def commit() -> str:
    """Return the short hash of the checked-out commit, with ``-dirty`` if files differ from it.

    ``unknown`` where itune does not run from a repository.
    """
    folder = str(Path(__file__).parent)
    command = ["git", "-C", folder, "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return run.stdout.strip()


def machine() -> str:
    """Return the processor's name and its number of cores, as the system reports them."""
    return f"{_processor()}, {os.cpu_count()} cores"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        pairs = [x.split(":", 1) for x in lines if ":" in x]
        fields = {key.strip(): value.strip() for key, value in reversed(pairs)}
    except OSError:
        return platform.processor() or platform.machine()
    names = ("model name", "cpu family", "model")
    return " ".join(f"{name} {fields[name]}" for name in names if name in fields).removeprefix(
        "model name "
    )
