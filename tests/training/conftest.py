"""Runs in this folder share what JAX has traced and compiled; a cache serves other processes."""

from functools import cache

import pytest
from compiled_once import compilation_cache

from itune.analysis import cid
from itune.training import run as run_module
from itune.training.recipes import METHODS

__all__ = ["compilation_cache", "traced_once"]


@pytest.fixture(scope="package", autouse=True)
def traced_once():
    """Runs of one setting are made of the same functions, so that JAX knows them again.

    That what is made anew in another process is the same is for test_kill.py to say.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "make_classifier", cache(run_module.make_classifier))
        for name in ("unit_gradient_sum", "projections"):
            patch.setattr(cid, name, cache(getattr(cid, name)))
        for name, recipe in METHODS.items():
            patch.setitem(METHODS, name, recipe._replace(make=_made_once(recipe.make)))
        yield


def _made_once(make):
    made = {}

    def make_once(config, classifier, train, seed):
        key = config, classifier, train.label.tobytes(), train.confound.tobytes(), seed
        if key not in made:
            made[key] = make(config, classifier, train, seed)
        return made[key]

    return make_once
