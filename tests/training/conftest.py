"""Runs in this folder share what JAX has compiled."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def share_compiled(compilation_cache):
    """Use :func:`tests.conftest.compilation_cache` in every module of the folder."""
