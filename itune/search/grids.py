"""Search spaces: the values to try for some keys of a configuration, and the grids of the paper.

A grid maps keys such as ``influence.interval`` to values; its settings are all combinations. In a
TOML file it is written as a preset is, with lists for values::

    [influence]
    interval = [25, 50]
    learning_rate = [1e-5, 3e-5]
"""

import itertools
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from itune.config import from_dict, to_dict
from itune.errors import UserError

C = TypeVar("C")
Value = bool | int | float | str
Grid = dict[str, tuple[Value, ...]]


def _influence(section: str, epochs: tuple[int, ...]) -> Grid:
    return {
        f"{section}.interval": (25, 50, 100),
        f"{section}.epochs": epochs,
        f"{section}.batch": (4, 16, 64),
        f"{section}.learning_rate": (3e-5, 1e-5, 3e-6, 1e-6),
    }


def _adversarial(epochs: tuple[int, ...]) -> Grid:
    return {
        "adversarial.learning_rate": (2e-5, 5e-5),
        "adversarial.epochs": epochs,
        "adversarial.reversal": (0.1, 0.3, 1.0, 3.0),
    }


def _paper(epochs: tuple[int, ...], adversarial_epochs: tuple[int, ...]) -> dict[str, Grid]:
    return {
        "influence_tuning": _influence("influence", epochs),
        "embedding_tuning": _influence("embedding", epochs),
        "adversarial": _adversarial(adversarial_epochs),
    }


_SMALL_RATES = (2e-5, 5e-5, 1e-4, 2e-4)
_LABEL = {"label.learning_rate": _SMALL_RATES}

GRIDS: dict[str, dict[str, Grid]] = {
    "paper": _paper((5, 10, 15), (10, 20, 40)),
    "paper-msgs": _paper((3,), (3, 6, 12)),
    "small": {
        "finetuning": _LABEL,
        "influence_tuning": _LABEL,
        "embedding_tuning": _LABEL,
        "adversarial": {"adversarial.learning_rate": _SMALL_RATES},
        "balanced_sampling": _LABEL,
        "subsampling": _LABEL,
        "group_dro": _LABEL | {"group_dro.step_size": (1e-3, 1e-2, 1e-1)},
        "product_of_experts": _LABEL,
        "last_layer_retraining": {
            "last_layer.learning_rate": (3e-4, 1e-3, 3e-3, 1e-2),
            "last_layer.weight_decay": (0.01, 0.1, 1.0),
        },
    },
}
"""Grids by name and method.

``paper`` and ``paper-msgs`` are those of Han & Tsvetkov (2021), for TextLen and for MSGS. ``small``
tries peak rates up to ten times the paper's, which smaller encoders need. With group DRO it also
tries the step size of the group weights; of last layer retraining it leaves the first phase as it
is, and tries the head's rate and how strongly the head is held back.
"""


def load_grid(name: str, method: str) -> Grid:
    """Return a grid of :data:`GRIDS`, or that of a file ``….toml``.

    Raises:
      UserError: there is no such grid, it has nothing for the method, or the file is no grid.

    >>> len(points(load_grid("paper", "influence_tuning")))
    108
    """
    if name.endswith(".toml"):
        return _read_grid(Path(name))
    if name not in GRIDS:
        raise UserError(f"grid is {name!r}; make it one of {', '.join(GRIDS)}, or a file ….toml")
    if method not in GRIDS[name]:
        raise UserError(
            f"grid {name!r} has nothing for {method}; name a file ….toml, or one of the methods "
            f"{', '.join(GRIDS[name])}"
        )
    return GRIDS[name][method]


def points(grid: Grid) -> list[dict[str, Value]]:
    """Return all combinations; the last key varies fastest.

    >>> points({"a": (1, 2), "b": (3,)})
    [{'a': 1, 'b': 3}, {'a': 2, 'b': 3}]
    """
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def settings(config: C, grid: Grid) -> list[C]:
    """Return a configuration for each point: the values of the grid, the others of `config`.

    Raises:
      UserError: the configuration has no such key, or refuses a value.
    """
    base = to_dict(config)
    return [from_dict(type(config), base | point, source="grid") for point in points(grid)]


def _read_grid(path: Path) -> Grid:
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from None
    grid = dict(_lists(tree))
    if not grid:
        raise UserError(f"{path} names no key; give one a list of values to try")
    for key, values in grid.items():
        _require_values(f"{path}: {key}", values)
    return {key: tuple(values) for key, values in grid.items()}


def _lists(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested tables, with dotted keys."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _lists(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _require_values(name: str, values: Any) -> None:
    is_fit = (
        isinstance(values, list)
        and values
        and all(isinstance(value, Value) for value in values)
        and len(set(values)) == len(values)
    )
    if not is_fit:
        raise UserError(
            f"{name} is {values!r}; make it a list of different numbers, strings or booleans"
        )
