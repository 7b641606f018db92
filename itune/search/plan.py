"""What is searched: a method's hyperparameters, over a grid, with some seeds."""

from typing import Any, NamedTuple

from itune.config import to_dict
from itune.methods.registry import require_method
from itune.search.grids import Grid, settings
from itune.training.run import load_data
from itune.training.settings import RunConfig


class SearchPlan(NamedTuple):
    """What to search; ``settings`` has the configuration of each point of the grid."""

    method: str
    seeds: tuple[int, ...]
    grid: Grid
    settings: list[RunConfig]
    data_sha256: str

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What tells this search from others; JSON-ready."""
        return {
            "grid": {key: list(values) for key, values in self.grid.items()},
            "method": self.method,
            "seeds": list(self.seeds),
            "config": to_dict(self.settings[0]),
            "data_sha256": self.data_sha256,
        }


def plan_search(config: RunConfig, method: str, seeds: tuple[int, ...], grid: Grid) -> SearchPlan:
    """Return the plan of a search.

    Args:
      config: Values of all keys that the grid does not name.
      method: Name of the method whose hyperparameters are searched.
      seeds: Seeds that every setting is run with.
      grid: The values to try.

    Raises:
      UserError: There is no such method, key or data, or a value is refused.
    """
    require_method(method)
    configs = settings(config, grid)
    return SearchPlan(method, seeds, grid, configs, load_data(configs[0], method).digest())
