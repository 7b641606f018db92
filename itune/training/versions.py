"""What a result was made with: versions of packages, and the commit of a source tree."""

import importlib.metadata
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
