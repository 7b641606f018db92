"""Freed memory goes back to the system, where the C library keeps it."""

import ctypes
from types import SimpleNamespace

import pytest

from itune.utils.memory import return_freed_memory


def test_glibc_is_asked(monkeypatch):
    trimmed = []
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(malloc_trim=trimmed.append))
    return_freed_memory()
    assert trimmed == [0]


@pytest.mark.parametrize("error", [AttributeError, TypeError])
def test_other_libraries_are_left_alone(monkeypatch, error):
    def refuse(_):
        raise error

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    return_freed_memory()
