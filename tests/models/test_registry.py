"""The registry: an architecture's configuration, module and names of tensors go together."""

import jax
import jax.numpy as jnp
import pytest

from itune.models import make_model
from itune.models.registry import ARCHITECTURES, architecture_of
from tests.helpers.family_models import FAMILIES, assert_taps_see_the_whole_gradient
from tests.models.make_golden_families import CASES


@pytest.fixture(params=ARCHITECTURES)
def config(request, tmp_path):
    return ARCHITECTURES[request.param].read_config(CASES[request.param], tmp_path / "config.json")


def test_a_configuration_finds_its_architecture(config):
    assert architecture_of(config) is ARCHITECTURES[config.model_type]
    assert isinstance(make_model(config), architecture_of(config).module)


def test_a_configuration_is_read_as_it_was_written(config, tmp_path):
    architecture = architecture_of(config)
    values = architecture.write_config(config)
    assert values["model_type"] == config.model_type
    assert architecture.read_config(values, tmp_path / "config.json") == config


def test_every_parameter_has_a_tensor(config):
    ids = jnp.zeros(3, jnp.int32)
    shapes = jax.eval_shape(make_model(config).init, jax.random.key(0), ids, ids)["params"]
    expected = {
        tuple(key.key for key in path): leaf.shape
        for path, leaf in jax.tree.leaves_with_path(shapes)
    }
    specs = list(architecture_of(config).tensors(config))
    assert expected == {s.path: s.parameter_shape for s in specs}


def test_names_are_read_as_they_are_saved(config):
    architecture = architecture_of(config)
    names = [spec.name for spec in architecture.tensors(config)]
    assert [architecture.canonical_name(architecture.saved_name(name)) for name in names] == names
    assert {f"{layer}.weight" for layer in architecture.new_layers} < set(names)
    assert architecture.head in architecture.new_layers


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name not in FAMILIES[1:]])
def test_taps_see_the_whole_gradient(name):
    """So that training need not check it; of the others, test_families compares what taps give."""
    assert_taps_see_the_whole_gradient(name)
