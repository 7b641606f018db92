"""A cache of compiled functions that lives as long as some tests."""

import contextlib

import jax

NAMES = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")


@contextlib.contextmanager
def compiled_once(folder):
    """Within it, runs share what they compile."""
    before = [getattr(jax.config, name) for name in NAMES]
    for name, value in zip(NAMES, (str(folder), 0.1), strict=True):
        jax.config.update(name, value)
    yield
    for name, value in zip(NAMES, before, strict=True):
        jax.config.update(name, value)
