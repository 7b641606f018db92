"""Runs of one setting in one process are traced and compiled once, whatever their seeds."""

import re

import jax
import numpy as np
import pytest

from itune.data.access import AccessConfig
from itune.data.dataset import Dataset
from itune.data.twins import add_twins
from itune.errors import UserError
from itune.groups import HIDDEN
from itune.methods import METHODS, EmbeddingConfig, InfluenceConfig, LabelConfig
from itune.models import BertClassifier
from itune.training import loop
from itune.training.batches import batch_of
from itune.training.preparation import prepare
from itune.training.run import load_data, run_task
from itune.training.settings import TrainingConfig
from itune.utils.progress import Progress
from tests.helpers.small_run import make_config
from tests.helpers.tiny_method import CLASSIFIER, EVEN, TWINNED, WITH_TWIN, initial_params


class SteppingProgress(Progress):
    """Collects the numbers of the label steps that are shown."""

    steps = []

    def advance(self, cost, status=""):
        super().advance(cost, status)
        self._collect(status)

    def write(self, message):
        super().write(message)
        self._collect(message)

    def _collect(self, text):
        self.steps.extend(map(int, re.findall(r"^step (\d+)", text)))


def test_another_seed_traces_nothing(small_encoder, tmp_path, monkeypatch):
    config = make_config(small_encoder)
    run_task(config, "influence_tuning", 1, tmp_path / "1")
    monkeypatch.setattr(BertClassifier, "__call__", None)
    monkeypatch.setattr(loop, "Progress", SteppingProgress)
    run_task(config, "influence_tuning", 2, tmp_path / "2")
    assert SteppingProgress.steps == sorted(SteppingProgress.steps) != []
    first, second = ((tmp_path / name / "metrics.jsonl").read_text() for name in "12")
    assert first != second


OTHERS = np.setdiff1d(np.arange(24), WITH_TWIN)
OTHER_TWINS = Dataset([EVEN.input_ids[row][1:] for row in OTHERS], *EVEN.subset(OTHERS)[1:3])
OTHERWISE_TWINNED = add_twins(EVEN, OTHER_TWINS, OTHERS)


def steps_of(config, method, seeds):
    """The step functions of runs with these seeds."""
    tables = load_data(config, method)
    return [prepare(tables, config, method, seed).method.steps for seed in seeds]


def test_another_setting_has_steps_of_its_own(small_encoder):
    config, others = make_config(small_encoder), {"cid_probes": 5, "access": AccessConfig(rate=0.6)}
    one, two = steps_of(config, "influence_tuning", [1, 2])
    assert one is two
    for name, value in others.items():
        (steps,) = steps_of(make_config(small_encoder, **{name: value}), "influence_tuning", [1])
        assert steps is not one, name
        assert steps["label"] is one["label"]  # which depends on the classifier alone
    (steps,) = steps_of(config, "finetuning", [1])
    assert steps is not one and steps.keys() != one.keys()


def test_padding_is_a_setting(small_encoder):
    """The encoder has 40 positions, and sentences are cut to 16 tokens."""
    tables = load_data(make_config(small_encoder), "finetuning")

    def prepared(multiple):
        config = make_config(small_encoder, pad_to_multiple_of=multiple)
        return prepare(tables, config, "finetuning", 1)

    found = prepared(20)
    assert all(of.padding == 20 for of in [*found.data.values(), found.seen])
    with pytest.raises(UserError, match="pad_to_multiple_of is 64, so inputs are padded up to 64 "):
        prepared(64)


def made(name, data):
    """The method made for each data set, with a seed of its own."""
    rounds = {"interval": 3, "epochs": 1, "batch": 6, "probes": 4, "k": 2, "chunk": 2}
    rounds["lone"] = "left_out"
    config = TrainingConfig(
        label=LabelConfig(epochs=2, batch=8, chunk=4),
        influence=InfluenceConfig(**rounds),
        embedding=EmbeddingConfig(**rounds),
    )
    return [METHODS[name].make(config, CLASSIFIER, of, seed) for seed, of in enumerate(data)]


def assert_same_steps(methods, data):
    state = jax.eval_shape(methods[0].init, initial_params())
    work = {it.kind: it for it in methods[0].plan() if it.kind in methods[0].steps}
    assert work
    for kind, it in work.items():
        batch = batch_of(it, data)
        traced = [jax.make_jaxpr(of.steps[kind])(state, batch) for of in methods]
        texts = [re.sub(r"0x[0-9a-f]+", "", str(of)) for of in traced]  # without addresses
        assert texts[0] == texts[1], kind
        jax.tree.map(np.testing.assert_array_equal, *(of.consts for of in traced))


@pytest.mark.parametrize("name", METHODS)
def test_steps_depend_on_no_seed(name):
    """Made anew for another seed, with other twins, they are the same functions."""
    data = (TWINNED, OTHERWISE_TWINNED) if METHODS[name].uses_twins else (EVEN, EVEN)
    assert_same_steps(made(name, data), data[0])


@pytest.mark.parametrize("name", [name for name, spec in METHODS.items() if spec.has_fixed_steps])
def test_fixed_steps_depend_on_no_confounds(name):
    """Of the second data all but one of a group are hidden as well, and another number."""
    whole = TWINNED if METHODS[name].uses_twins else EVEN
    group = np.flatnonzero((EVEN.label == 0) & (EVEN.confound == 0))
    data = [hidden(whole, rows) for rows in ([1, 2, 5], [3, *group[1:]])]
    assert_same_steps(made(name, data), whole)


def hidden(data, rows):
    confound = data.confound.copy()
    confound[rows] = HIDDEN
    return Dataset(*data[:2], confound, *data[3:])
