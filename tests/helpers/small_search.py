"""Searches without training: a run that answers at once, and shows no test accuracy."""

import threading

from itune.errors import UserError
from itune.search import open_study
from itune.search.grids import settings
from itune.search.plan import SearchPlan
from itune.training.run import Finished, RunConfig

GRID = {"influence.interval": (25, 50, 100), "influence.learning_rate": (3e-5, 1e-5)}
TEST_ACCURACY = 0.123456


class Sealed(dict):
    """A result whose test accuracy must not be looked at."""

    def __getitem__(self, key):
        assert key != "test", "test is looked at"
        return super().__getitem__(key)

    def get(self, key, default=None):
        assert key != "test", "test is looked at"
        return super().get(key, default)

    def __iter__(self):
        raise AssertionError("test is looked at")

    items = values = __iter__


class FakeRun:
    """Stands for ``run``; larger intervals do better, and more so with other seeds."""

    def __init__(self, broken=(), collapsed=()):
        self.calls = []
        self.options = []
        self._broken, self._collapsed = broken, collapsed
        self._lock = threading.Lock()

    def __call__(self, config, method, folders, options):
        return {s: self._run(config, method, s, at, options) for s, at in folders.items()}

    def _run(self, config, method, seed, folder, options):
        influence = config.influence
        with self._lock:
            self.calls.append((influence.interval, influence.learning_rate, seed))
            self.options.append((method, folder, options))
        if influence.interval in self._broken:
            raise UserError(f"the loss of step 3 is | not finite\nwith seed {seed}")
        accuracy = (influence.interval + seed) / 200 + influence.learning_rate
        result = {
            "dev": {"accuracy": accuracy},
            "test": {"accuracy": TEST_ACCURACY},
            "seconds": 60.0,
            "collapsed": influence.interval in self._collapsed,
        }
        return Finished(folder, Sealed(result), [])


def make_plan(encoder, seeds=(1,), grid=GRID):
    configs = settings(RunConfig(encoder=str(encoder)), grid)
    return SearchPlan("influence_tuning", seeds, grid, configs, "0" * 64)


def open_small(where, plan, folder, **options):
    return open_study(plan, str(where), folder, name="small", **options)
