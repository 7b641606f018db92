"""A run's folder: whether it may be used, what it was started with, and what it came to."""

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from itune.config.mappings import flattened
from itune.errors import UserError, option, require
from itune.methods.registry import METHODS, unused_sections
from itune.training.formats import upgrade
from itune.training.metrics_log import read_metrics
from itune.training.settings import TrainingConfig
from itune.utils.files import UNFINISHED
from itune.utils.json import write_json

LOCK = "lock"
"""A file by which a process keeps the others out of the folder that it works in."""

MEASURED_WHEN = ("cid_when", "accuracy_when", "diagnostics")
"""Settings that decide nothing of what a run ends with, but which pieces of work it consists of."""


class RunInUse(UserError):
    """Another process works in the folder."""


@dataclass(frozen=True)
class RunOptions:
    """How a run uses its folder; no option changes the results of the run.

    Attributes:
      resume: Whether to continue the run in the folder, which must have been started with the
        present arguments; a finished run is returned unchanged.
      overwrite: Whether to delete the run in the folder first, whatever its arguments.
      checkpoint_seconds: Seconds between two checkpoints; 0 or more.
      about: Further contents of ``config.json``, such as where the table came from.
    """

    resume: bool = False
    overwrite: bool = False
    checkpoint_seconds: float = 120.0
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        require(self, "a non-negative number", lambda v: v >= 0, "checkpoint_seconds")


class Finished(NamedTuple):
    """A finished run, as its folder holds it.

    Attributes:
      folder: Folder with ``config.json``, ``metrics.jsonl``, ``result.json``, ``report.html`` and
        ``model/``.
      result: Contents of ``result.json``.
      metrics: Rows of ``metrics.jsonl``.
    """

    folder: Path
    result: dict[str, Any]
    metrics: list[dict[str, Any]]


def read_run(folder: Path) -> Finished:
    """Read the folder of a finished run."""
    try:
        result = upgrade(json.loads((folder / "result.json").read_text()))
        return Finished(folder, result, read_metrics(folder / "metrics.jsonl"))
    except UserError:
        raise
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder}: result.json or metrics.jsonl is damaged ({error}); start over with "
            f"{option('overwrite', True)}, or delete the run's folder"
        ) from error


def require_usable(folder: Path, description: Mapping[str, Any], options: RunOptions) -> None:
    """Check that a run may use a folder: it is empty, or its contents may be used or deleted."""
    path = folder / "config.json"
    if options.resume and options.overwrite:
        raise UserError("resume goes on with what is there, overwrite deletes it; leave one out")
    try:
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder} is a file; choose another {option('out')}")
        if not folder.exists() or not any(map(_is_content, folder.iterdir())):
            return
        if not path.exists():
            raise UserError(
                f"{folder} is not empty and holds no run; choose another {option('out')}"
            )
        if not options.resume and not options.overwrite:
            raise UserError(
                f"{folder} already holds a run; go on with it by {option('resume', True)}, "
                f"replace it by {option('overwrite', True)}, or choose another {option('out')}"
            )
        if not options.overwrite:
            # A finished run is taken as it is, whenever it was measured on the way.
            when = () if (folder / "result.json").exists() else MEASURED_WHEN
            _require_same(path, description, when)
    except OSError as error:
        raise _unusable(folder, error) from None


def _is_content(path: Path) -> bool:
    """Return whether a file is more than what a run that has just started has in its folder."""
    return path.name not in (LOCK, f"config.json{UNFINISHED}")


@contextlib.contextmanager
def locked_run_folder(
    folder: Path, description: Mapping[str, Any], *, overwrite: bool
) -> Iterator[None]:
    """Make the folder of a run and its ``config.json`` if need be, and keep other processes out."""
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
        if overwrite:
            _empty(folder)
        if not (folder / "config.json").exists():
            write_json(folder / "config.json", description)
    except Timeout:
        raise RunInUse(
            f"another process is at work in {folder}; wait for it, or choose another "
            f"{option('out')}"
        ) from None
    except OSError as error:
        lock.release()
        raise _unusable(folder, error) from None
    try:
        yield
    finally:
        lock.release()
        (folder / LOCK).unlink(missing_ok=True)


def is_at_work(folder: Path) -> bool:
    """Return whether a process works in the folder of a run."""
    if not (folder / LOCK).exists():
        return False
    try:
        with FileLock(folder / LOCK, timeout=0):
            return False
    except Timeout:
        return True
    except OSError as error:
        raise _unusable(folder, error) from None


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


def _unusable(folder: Path, error: OSError) -> UserError:
    return UserError(f"cannot use folder {folder}: {error.strerror}; try another {option('out')}")


def _require_same(path: Path, description: Mapping[str, Any], also: Sequence[str]) -> None:
    method = description["method"]
    try:
        found = json.loads(path.read_text())
        found = _decisive(found, method, also)
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is damaged; start over with {option('overwrite', True)}, or delete the run's "
            "folder"
        ) from error
    if found.get("data_sha256") != description["data_sha256"]:  # other settings follow from them
        raise UserError(
            f"{path}: this run was started on other data, or they have changed since; resume it "
            f"with the data it had, start over with {option('overwrite', True)}, delete the run's "
            f"folder, or choose another {option('out')}"
        )
    for key, value in _decisive(description, method, also).items():
        before = found.get(key, DEFAULTS.get(key))
        if before != value:
            raise UserError(
                f"{path}: this run was started with {key} {before!r}, not {value!r}; "
                f"resume it as it was started, or choose another {option('out')}"
            )


def _decisive(description: Mapping[str, Any], method: str, also: Sequence[str]) -> dict[str, Any]:
    """Return what decides a run by its ``config.json``, and some other settings, by dotted key."""
    config = description["config"]
    config = decisive(config, method) | {key: config[key] for key in also if key in config}
    named = {f"config.{key}": value for key, value in config.items()}
    return named | {key: description.get(key) for key in ("method", "seed", "data_sha256")}


def decisive(config: Mapping[str, Any], method: str) -> dict[str, Any]:
    """Return the settings that decide the results of a run, by dotted key.

    Left out are when the run is evaluated, the sections that its method does not use, and the place
    of control data unless the method trains on them.
    """
    others = tuple(f"{name}." for name in unused_sections(method))
    others += () if METHODS[method].uses_control else ("data.control",)
    return {
        key: value
        for key, value in flattened(config).items()
        if key not in MEASURED_WHEN and not key.startswith(others)
    }


DEFAULTS = {f"config.{key}": value for key, value in flattened(asdict(TrainingConfig())).items()}
"""What runs of earlier versions, which had no such setting, did."""
