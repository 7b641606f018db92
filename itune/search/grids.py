"""Grids: the values to try for keys of a configuration such as ``influence.interval``.

A file of a grid is written as a preset is, with lists for values; those in ``spaces`` beside this
module hold a grid for each of several methods. The settings of a grid are all combinations.
"""

import itertools
from pathlib import Path
from typing import Any, TypeVar

from itune.config import to_dict
from itune.config.mappings import flattened, from_dict
from itune.config.presets import preset_names, read_preset
from itune.errors import UserError

C = TypeVar("C")
Value = bool | int | float | str
Grid = dict[str, tuple[Value, ...]]

_SPACES = Path(__file__).parent / "spaces"


def grid_methods() -> dict[str, list[str]]:
    """Return the names of the grids that come with itune, and the methods that each is for.

    >>> grid_methods()["paper"]
    ['influence_tuning', 'embedding_tuning', 'adversarial']
    """
    return {name: list(read_preset(_SPACES / f"{name}.toml")) for name in preset_names(_SPACES)}


def load_grid(name: str, method: str) -> Grid:
    """Return a grid.

    Args:
      name: A key of :func:`grid_methods`, or the path of a file that ends in ``.toml``.
      method: The method to search the hyperparameters of; a file holds a single grid.

    Raises:
      UserError: There is no such grid, it has nothing for the method, or the file is no grid.

    >>> len(points(load_grid("paper", "influence_tuning")))
    108
    """
    if name.endswith(".toml"):
        return _as_grid(read_preset(Path(name)), name)
    known = grid_methods()
    if name not in known:
        raise UserError(f"grid must be {', '.join(known)} or a file ….toml, got {name!r}")
    if method not in known[name]:
        raise UserError(
            f"grid {name!r} has nothing for {method}; name a file ….toml, or one of the methods "
            f"{', '.join(known[name])}"
        )
    return _as_grid(read_preset(_SPACES / f"{name}.toml")[method], name)


def points(grid: Grid) -> list[dict[str, Value]]:
    """Return all combinations; the last key varies fastest.

    >>> points({"a": (1, 2), "b": (3,)})
    [{'a': 1, 'b': 3}, {'a': 2, 'b': 3}]
    """
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def settings(config: C, grid: Grid) -> list[C]:
    """Return a configuration for each point: the values of the grid, and `config` for the rest."""
    base = to_dict(config)
    return [from_dict(type(config), base | point, source="grid") for point in points(grid)]


def _as_grid(tree: dict[str, Any], source: str) -> Grid:
    grid = flattened(tree)
    if not grid:
        raise UserError(f"{source} names no key; give one a list of values to try")
    for key, values in grid.items():
        is_list = isinstance(values, list) and all(isinstance(value, Value) for value in values)
        if not is_list or not 0 < len(values) == len(set(values)):
            raise UserError(
                f"{source}: {key} must be a list of different numbers, strings or booleans, got "
                f"{values!r}"
            )
    return {key: tuple(values) for key, values in grid.items()}
