"""Every test runs in float64, with strict promotion; warnings are errors (see setup.cfg)."""

import os
from importlib.metadata import version

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["HF_HUB_OFFLINE"] = "1"
# Compiling is most of the tests' time: without optimisation, in the quickest way that XLA has, and
# with elementwise work emitted by LLVM's older path while there is one, it takes a fifth of it.
FLAGS = ["--xla_backend_optimization_level=0", "--xla_cpu_parallel_codegen_split_count=1"]
if version("jaxlib").startswith("0.10."):
    FLAGS.append("--xla_cpu_use_fusion_emitters=false")
    FLAGS.append("--xla_cpu_opt_preset=CPU_OPT_PRESET_FAST_COMPILE")
os.environ.setdefault("XLA_FLAGS", " ".join(FLAGS))
# Lowering is quicker without the places in Python that each operation comes from.
os.environ.setdefault("JAX_TRACEBACK_IN_LOCATIONS_LIMIT", "0")
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import jax
import pytest
from hypothesis import settings

from itune.utils.devices import use_devices

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_num_cpu_devices", 8)  # of which a test uses one unless it asks for more
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

# The examples of a property are the same every time, and may take as long as the machine needs.
settings.register_profile("itune", derandomize=True, deadline=None, max_examples=60, database=None)
settings.load_profile("itune")


use_devices(1)


def pytest_addoption(parser):
    parser.addoption(
        "--all-families",
        action="store_true",
        help="take every family of encoders through every route and command, which takes long",
    )


@pytest.fixture(scope="session")
def small_encoder(tmp_path_factory):
    """The folder of a one-layer BERT for :func:`tests.helpers.small_run.make_config`."""
    from tests.helpers.small_run import make_encoder

    return make_encoder(tmp_path_factory.mktemp("small"))


@pytest.fixture
def known_costs(monkeypatch):
    """For audits of which it is no matter how long they take: no chunk is compiled to be timed."""
    from itune.auditing import plan

    for name in ("_seconds_of_gradient", "_seconds_of_forward"):
        monkeypatch.setattr(plan, name, lambda *_: 1e-6)


@pytest.fixture
def chooses_devices():
    """For tests of what chooses devices: they are as before in the end."""
    yield
    use_devices(1)
