"""A cache of compiled functions, for tests whose runs compile the same."""

import jax
import pytest

NAMES = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")


@pytest.fixture(scope="package", autouse=True)
def compilation_cache(tmp_path_factory):
    """The tests of a module, or below a conftest.py, that imports this share what they compile."""
    before = [getattr(jax.config, name) for name in NAMES]
    for name, value in zip(NAMES, (str(tmp_path_factory.mktemp("compiled")), 0.1), strict=True):
        jax.config.update(name, value)
    yield
    for name, value in zip(NAMES, before, strict=True):
        jax.config.update(name, value)
