"""Runs in this folder share what JAX has compiled."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def share_compiled(compilation_cache):
    """Use ``compilation_cache`` of ``tests/conftest.py`` in every module of this folder."""
