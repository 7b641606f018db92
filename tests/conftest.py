"""Every test runs in float64, with strict promotion; warnings are errors (see setup.cfg)."""

import os
from importlib.metadata import version

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["HF_HUB_OFFLINE"] = "1"
# Compiling is most of the tests' time: without optimisation, and with elementwise work emitted by
# LLVM's older path while there is one, it takes a quarter of it.
FLAGS = ["--xla_backend_optimization_level=0", "--xla_cpu_parallel_codegen_split_count=1"]
if version("jaxlib").startswith("0.10."):
    FLAGS.append("--xla_cpu_use_fusion_emitters=false")
os.environ.setdefault("XLA_FLAGS", " ".join(FLAGS))
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import jax
import pytest
from hypothesis import settings

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

# The examples of a property are the same every time, and may take as long as the machine needs.
settings.register_profile("itune", derandomize=True, deadline=None, max_examples=60, database=None)
settings.load_profile("itune")


def pytest_addoption(parser):
    parser.addoption(
        "--all-routes",
        action="store_true",
        help="compare every route for every family of encoders, which compiles for many minutes",
    )


@pytest.fixture(scope="session")
def compiled_folder(tmp_path_factory):
    """A folder for what JAX compiles: one for all modules, since a process can only use one."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="module")
def compilation_cache(compiled_folder):
    """Let the tests of a module reuse what JAX compiled for them or for other such modules."""
    changes = {
        "jax_compilation_cache_dir": str(compiled_folder),
        "jax_persistent_cache_min_compile_time_secs": 0.1,
    }
    before = {name: getattr(jax.config, name) for name in changes}
    for name, value in changes.items():
        jax.config.update(name, value)
    yield
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.fixture(scope="session")
def small_encoder(tmp_path_factory):
    """The folder of a one-layer BERT for :func:`tests.helpers.small_run.make_config`."""
    from tests.helpers.small_run import make_encoder

    return make_encoder(tmp_path_factory.mktemp("small"))
