"""Examples in docstrings and in the README run as a reader runs them, with JAX as it comes."""

import pytest


@pytest.fixture(autouse=True)
def jax_as_it_comes(request):
    """Undo, for examples only, the rules that tests/conftest.py sets."""
    if not isinstance(request.node, pytest.DoctestItem):
        yield
        return
    import jax

    with (
        jax.enable_x64(False),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        yield
