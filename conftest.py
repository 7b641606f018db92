"""What tests and examples share: compiled functions, and the rules under which examples run."""

import gc
import os
import shutil
import time
from pathlib import Path

import pytest

# Traced functions stay; looking through them for garbage every few thousand objects is a tenth of
# the time of a test that traces much.
gc.set_threshold(30_000, 20, 100)

COMPILED = Path(__file__).parent / "build" / "compiled"
"""What earlier runs and other processes of this one compiled, by a hash of the program, the options
and the versions of JAX and XLA."""

MONTH = 30 * 24 * 3600


@pytest.hookimpl(trylast=True)
def pytest_unconfigure():
    """Leave what is left alone: pytest has just looked through it, and would do so again."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def own_compiled(tmp_path_factory):
    """The folder where JAX keeps what this process and those it starts compile."""
    import jax

    folder = tmp_path_factory.mktemp("compiled")
    if not jax.config.jax_compilation_cache_dir:
        # Without caches of XLA's own, whose folder would be part of the hash.
        for name, value in (
            ("jax_compilation_cache_dir", str(folder)),
            ("jax_persistent_cache_min_compile_time_secs", 0.0),
            ("jax_persistent_cache_enable_xla_caches", "none"),
        ):
            os.environ[name.upper()] = str(value)
            jax.config.update(name, value)
        COMPILED.mkdir(parents=True, exist_ok=True)
        for path in COMPILED.glob("*-cache"):
            if path.stat().st_mtime < time.time() - MONTH:
                path.unlink(missing_ok=True)
    link(COMPILED, folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def exchange_compiled(own_compiled):
    """Take over what other processes compiled before the tests of a file, and give after them.

    JAX writes its files bit by bit, so no two processes work in one folder: whole files are moved
    into the common one, and links to them stand in that of each process.
    """
    link(COMPILED, own_compiled)
    yield
    for entry in list(os.scandir(own_compiled)):
        path = Path(entry.path)
        if path.name.endswith("-cache") and not entry.is_symlink():
            whole = COMPILED / f"{path.name}.{os.getpid()}"
            shutil.copyfile(path, whole)
            whole.replace(COMPILED / path.name)
            link_to = path.with_name(f"{path.name}.link")
            link_to.symlink_to(COMPILED / path.name)
            link_to.replace(path)


def link(source, target):
    """Link every compiled function of a folder from another, unless there is one of its name."""
    if source.exists():
        for name in set(os.listdir(source)) - set(os.listdir(target)):
            if name.endswith("-cache"):
                (target / name).symlink_to(source / name)


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
