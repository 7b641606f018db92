"""Runs in this folder share compiled functions through a cache that lives as long as the tests."""

import pytest
from compiled_once import compiled_once


@pytest.fixture(scope="package", autouse=True)
def compilation_cache(tmp_path_factory):
    with compiled_once(tmp_path_factory.mktemp("compiled")):
        yield
