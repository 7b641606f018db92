"""Presets: a folder of ``NAME.toml``, each with a comment that says what it is."""

import tomllib
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from itune.errors import UserError


def preset_names(presets: Path | None) -> list[str]:
    """Return the names of the presets in a folder, sorted; none if there is no folder."""
    return sorted(path.stem for path in presets.glob("*.toml")) if presets else []


def preset_path(presets: Path, name: str) -> Path:
    """Return the file of a preset, or raise a UserError that names those that there are."""
    names = preset_names(presets)
    if name not in names:
        names.sort(key=lambda known: -SequenceMatcher(None, name, known).ratio())
        known = f"the presets are {', '.join(names)}" if names else f"{presets} holds none"
        raise UserError(f"there is no preset {name!r}; {known}")
    return presets / f"{name}.toml"


def read_preset(path: Path) -> dict[str, Any]:
    """Return the values in a TOML file, nested as its tables are, or raise a UserError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from None


def preset_table(presets: Path | None) -> str:
    """Return every preset with the first comment line of its file, for ``--help``."""
    names = preset_names(presets)
    if presets is None or not names:
        return ""
    width = max(map(len, names))
    lines = [f"  {name:{width}}  {_first_comment(presets / f'{name}.toml')}" for name in names]
    return "\n".join(["presets:", *(line.rstrip() for line in lines)])


def _first_comment(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        return f"(cannot be read: {error})"
    comments = (line.strip("# ") for line in lines if line.startswith("#"))
    return next(filter(None, comments), "")
