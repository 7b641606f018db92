"""What builders of functions share."""

import importlib
import os
import subprocess
import sys

import jax
import pytest

from itune.commands import COMMANDS
from itune.utils import compiling
from itune.utils.compiling import MEMOIZED, memoized


def test_shared():
    build = memoized(lambda *args: [args])
    first = build(0)
    assert build(0) is first and build(1) is not first
    for number in range(MEMOIZED):
        build(1 + number)
    assert build(0) is not first
    assert build([1]) == [([1],)] and build([1]) is not build([1])


def test_errors_in_a_shared_builder():
    with pytest.raises(TypeError, match="its own"):
        memoized(lambda: (_ for _ in ()).throw(TypeError("its own")))()


PROGRAM = """
import sys, jax
from itune.utils import use_compilation_cache
use_compilation_cache()
print(jax.config.jax_compilation_cache_dir)
"""


@pytest.mark.parametrize("given", [None, "elsewhere"])
def test_where_compiled_functions_are_kept(tmp_path, given):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    if given is not None:
        environment["JAX_COMPILATION_CACHE_DIR"] = str(tmp_path / given)
    command = [sys.executable, "-c", PROGRAM]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert run.stdout == f"{tmp_path / (given or 'itune/jax')}\n"


def test_options_are_for_second_derivatives(monkeypatch):
    options = []
    real = jax.jit
    monkeypatch.setattr(compiling, "_compiler_options", lambda: {"xla_cpu_enable_fast_math": False})
    monkeypatch.setattr(jax, "jit", lambda *a, **o: (options.append(o), real(*a, **o))[1])
    compiling.jit(abs)
    compiling.jit(abs, fuses=False)
    assert [of["compiler_options"] for of in options] == [{"xla_cpu_enable_fast_math": False}, None]


def test_memory_is_given_back_after_long_compiling(monkeypatch):
    given, listeners = [], []
    monkeypatch.setattr(jax.monitoring, "register_event_duration_secs_listener", listeners.append)
    monkeypatch.setattr(compiling, "return_freed_memory", lambda: given.append(1))
    compiling._return_memory_after_compiling.__wrapped__()
    (after,) = listeners
    after(compiling.COMPILED, compiling.TRIM_SECONDS / 2, fun_name="short")
    after("/jax/core/compile/jaxpr_trace_duration", 9.0)
    assert given == []
    after(compiling.COMPILED, 9.0, fun_name="long")
    assert given == [1]


def test_jax_tells_when_it_has_compiled():
    told = []
    listener = lambda event, seconds, **_: told.append(event)  # noqa: E731
    jax.monitoring.register_event_duration_secs_listener(listener)
    try:
        jax.jit(lambda x: x + 12345)(0.5)
    finally:
        jax.monitoring.unregister_event_duration_listener(listener)
    assert compiling.COMPILED in told


@pytest.mark.parametrize("name", ["audit", "compare", "tune"])
def test_commands_that_compile_use_the_cache(name, monkeypatch):
    """It is set up before anything is compiled."""
    assert name in COMMANDS

    class SetUp(BaseException):
        pass

    def set_up():
        raise SetUp

    monkeypatch.setattr("itune.utils.compiling.use_compilation_cache", set_up)
    monkeypatch.setattr("itune.utils.use_compilation_cache", set_up)
    module = importlib.import_module(f"itune.commands.{name}")
    with pytest.raises(SetUp):
        module.main(["nowhere"] if name == "audit" else ["nowhere", "--text", "a", "--label", "b"])
