"""Runs of many methods on the tiny classifier, by the training loop and without its evaluations."""

import json
from functools import cache, partial

import pytest

from itune.methods import InfluenceConfig, LabelConfig
from itune.methods.adversarial import AdversarialConfig, adversarial
from itune.methods.auto_d3m import auto_d3m
from itune.methods.bcsi import BcsiConfig, bcsi
from itune.methods.cnc import CncConfig, cnc
from itune.methods.counterfactual_augmentation import (
    CounterfactualConfig,
    counterfactual_augmentation,
)
from itune.methods.d3m import D3mConfig, d3m
from itune.methods.embedding_tuning import EmbeddingConfig, embedding_tuning
from itune.methods.fish import FishConfig, fish
from itune.methods.group_dro import GroupDroConfig, group_dro
from itune.methods.iffair import IffairConfig, iffair
from itune.methods.influence_tuning import influence_tuning
from itune.methods.ipg import IpgConfig, ipg
from itune.methods.last_layer_retraining import LastLayerConfig, last_layer_retraining
from itune.methods.lisa import LisaConfig, lisa
from itune.training import loop
from itune.training.loop import Evaluator, Training, train
from tests.helpers.tiny_method import CLASSIFIER, EVEN, TWINNED, assert_close, initial_params

LABEL = LabelConfig(epochs=2, batch=8, chunk=4, learning_rate=0.1)
ROUNDS = {"interval": 2, "epochs": 2, "probes": 6, "k": 2, "chunk": 2, "learning_rate": 0.03}
METHODS = {
    "drawn": (influence_tuning, InfluenceConfig(batch=5, **ROUNDS)),
    "pooled": (influence_tuning, InfluenceConfig(batch=12, partners="pooled", **ROUNDS)),
    "all labels": (
        influence_tuning,
        InfluenceConfig(batch=12, partners="pooled", labels="all", target=0.2, **ROUNDS),
    ),
    "guarded": (
        influence_tuning,
        InfluenceConfig(
            batch=12,
            partners="pooled",
            directions="projected",
            max_label_rise=1e-4,
            split="halves",
            **ROUNDS,
        ),
    ),
    "dropout": (influence_tuning, InfluenceConfig(batch=5, dropout=True, target=0.2, **ROUNDS)),
    "dropout in pieces": (
        influence_tuning,
        InfluenceConfig(batch=12, partners="pooled", dropout=True, pool_chunk=6, **ROUNDS),
    ),
    "embedding": (embedding_tuning, EmbeddingConfig(batch=5, **ROUNDS)),
    "lisa": (lisa, LisaConfig()),
    "d3m": (d3m, D3mConfig(reference=1)),
    "auto_d3m": (auto_d3m, D3mConfig(reference=2, sample=7)),
    "iffair": (iffair, IffairConfig(reference=1, weights="diverse")),
    "counterfactual": (counterfactual_augmentation, CounterfactualConfig()),
    "ipg": (ipg, IpgConfig(pairs=9, batch=7)),
    "bcsi": (bcsi, BcsiConfig(epochs=1, remedy_epochs=1, models=2, share=0.5)),
    "cnc": (cnc, CncConfig(epochs=1)),
    "fish": (fish, FishConfig()),
    "group_dro": (group_dro, GroupDroConfig()),
    "adversarial": (adversarial, AdversarialConfig()),
    "last_layer": (last_layer_retraining, LastLayerConfig(epochs=2)),
}
WITH_TWINS = ("counterfactual", "ipg")


def data_of(name):
    return TWINNED if name in WITH_TWINS else EVEN


@cache
def method_of(name, seed=1):
    """Return a method; once for each seed, with the step functions of the first, as runs have."""
    factory, config = METHODS[name]
    method = factory(CLASSIFIER, LABEL, config, data_of(name), seed)
    return method if seed == 1 else method._replace(steps=method_of(name).steps)


def run(name, folder, checkpoint_seconds=None):
    """Train; return the parameters, and what was logged without its notes."""
    (found,) = run_together(name, {1: folder}, checkpoint_seconds)
    assert found[1]
    return found


def never(seed, accuracies):
    return False


def run_together(name, folders, checkpoint_seconds=None, has_collapsed=never, padding=8):
    """Train with several seeds, each in a folder; return what :func:`run` does for each.

    Without seconds no checkpoint is written, not even in the end. ``has_collapsed`` gets the seed
    and the accuracies. Lengths are from 2 to 8. In place of the parameters of a run with an error
    the error is returned.
    """
    evaluator = Evaluator(lambda params: {"bias": float(params["classifier"]["bias"][0])}, 1.0)
    data = data_of(name).padded_to(padding)
    evaluators, trainings = dict.fromkeys(("cid", "accuracy"), evaluator), []
    for seed, folder in folders.items():
        folder.mkdir(exist_ok=True)
        parts = method_of(name, seed), initial_params(), data, evaluators, folder
        trainings.append(Training(*parts, f"seed {seed}", partial(has_collapsed, seed)))
    with pytest.MonkeyPatch.context() as patch:
        if checkpoint_seconds is None:
            checkpoint_seconds = 1e9
            patch.setattr(loop.Checkpoints, "save", lambda *args: None)
        outcomes = train(trainings, checkpoint_seconds=checkpoint_seconds)
    return [
        (getattr(outcome, "params", outcome), _logged(folder))
        for outcome, folder in zip(outcomes, folders.values(), strict=True)
    ]


def _logged(folder):
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if k != "note"} for row in rows]


def assert_same(found, expected):
    assert_close(found[0], expected[0])
    for row, other in zip(found[1], expected[1], strict=True):
        assert row.pop("kind") == dict(other)["kind"]
        assert_close(row, {key: value for key, value in other.items() if key != "kind"})
