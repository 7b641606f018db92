"""Every preset is a configuration, and those of MSGS have the paper's hyperparameters."""

import pytest

from itune.config import parse
from tests.helpers.scripts import EXPERIMENTS, load_script

PRESETS = EXPERIMENTS / "presets"


@pytest.fixture(scope="module")
def read():
    experiment = load_script("run").Experiment
    words = {"prog": "run.py", "description": "", "default_preset": None}
    return lambda name: parse(experiment, PRESETS, ["--preset", name], **words)


@pytest.mark.parametrize("path", sorted(PRESETS.glob("*.toml")), ids=lambda path: path.stem)
def test_is_read_and_called_as_its_file(read, path):
    assert read(path.stem).name == path.stem


@pytest.mark.parametrize(("name", "size"), [("msgs", 15000), ("msgs-minilm", 2000)])
def test_msgs(read, name, size):
    config = read(name)
    label, influence, recipe = config.label, config.influence, config.data.msgs
    assert config.data.task == "msgs"
    assert (label.epochs, label.batch, label.learning_rate) == (3, 64, 2e-5)
    assert (influence.interval, influence.epochs, influence.batch) == (50, 3, 16)
    assert (influence.learning_rate, influence.probes, influence.k) == (3e-5, 100, 3)
    assert (recipe.train_size, recipe.dev_size, recipe.test_size) == (5000, size, size)
