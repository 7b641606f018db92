"""Runs in this folder share what JAX has compiled."""

from tests.helpers.compiled_once import compilation_cache

__all__ = ["compilation_cache"]
