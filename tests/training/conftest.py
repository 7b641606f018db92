"""Runs in this folder share what JAX has traced and compiled; a cache serves other processes."""

from functools import cache

import jax
import pytest

from itune.analysis import cid
from itune.training import run as run_module
from itune.training.run import METHODS


@pytest.fixture(scope="package", autouse=True)
def compilation_cache(tmp_path_factory):
    before = (
        jax.config.jax_compilation_cache_dir,
        jax.config.jax_persistent_cache_min_compile_time_secs,
    )
    jax.config.update("jax_compilation_cache_dir", str(tmp_path_factory.mktemp("compiled")))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    yield
    jax.config.update("jax_compilation_cache_dir", before[0])
    jax.config.update("jax_persistent_cache_min_compile_time_secs", before[1])


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
