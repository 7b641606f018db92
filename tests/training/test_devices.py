"""Training on several devices ends as on one, whatever the method."""

import json
from functools import cache

import jax
import numpy as np
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
from itune.training import batches
from itune.training.batches import next_work
from itune.training.loop import Evaluator, train
from itune.utils.compiling import jit
from itune.utils.devices import lay_out
from tests.helpers.many_devices import on_devices
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


def run(name, folder, checkpoint_seconds=1e9):
    """Train; return the parameters, and what was logged without its kind."""
    factory, config = METHODS[name]
    data = TWINNED if name in WITH_TWINS else EVEN
    method = factory(CLASSIFIER, LABEL, config, data, 1)
    evaluator = Evaluator(lambda params: {"bias": float(params["classifier"]["bias"][0])}, 1.0)
    folder.mkdir(exist_ok=True)
    evaluators = dict.fromkeys(("cid", "accuracy"), evaluator)
    outcome = train(
        method, initial_params(), data, evaluators, folder, checkpoint_seconds=checkpoint_seconds
    )
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert rows
    return outcome.params, [{k: v for k, v in row.items() if k != "note"} for row in rows]


@pytest.fixture(scope="module")
def on_one(tmp_path_factory):
    return cache(lambda name: run(name, tmp_path_factory.mktemp("one")))


def assert_same(found, expected):
    assert_close(found[0], expected[0])
    for row, other in zip(found[1], expected[1], strict=True):
        assert row.pop("kind") == dict(other)["kind"]
        assert_close(row, {key: value for key, value in other.items() if key != "kind"})


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("count", [3, 8])
def test_as_on_one_device(name, count, on_one, tmp_path):
    """With dropout; chunks of 4 and tuples of 2 do not come out even on 3 devices."""
    with on_devices(count):
        assert_same(run(name, tmp_path), on_one(name))
    if name == "guarded":
        assert {0, 5} <= {row.get("halvings") for row in on_one(name)[1]}


def test_divided_parameters(on_one, tmp_path):
    with on_devices(4, divide_params=True):
        assert_same(run("pooled", tmp_path), on_one("pooled"))
        placed = lay_out(initial_params())
        assert not all(leaf.sharding.is_fully_replicated for leaf in jax.tree.leaves(placed))


@pytest.mark.parametrize("name", ["drawn", "pooled", "guarded"])
def test_resumed_on_other_devices(name, on_one, tmp_path, monkeypatch):
    """Cut off on 8 devices in the first round, gone on with on 1, and on 4 with divided states."""

    class Killed(BaseException):
        pass

    def dying(most, real=batches.collate_shared):
        calls = iter(range(most))

        def collate(*args, **options):
            if next(calls, None) is None:
                raise Killed
            return real(*args, **options)

        return collate

    for count, divide, most in ((8, False, 7), (1, False, 5), (4, True, None)):
        with monkeypatch.context() as patch, on_devices(count, divide_params=divide):
            if most is None:
                found = run(name, tmp_path, 0)
            else:
                patch.setattr(batches, "collate_shared", dying(most))
                with pytest.raises(Killed):
                    run(name, tmp_path, 0)
    assert_same(found, on_one(name))


def test_tuples_of_an_update_are_done_at_once():
    """Of 5 tuples in chunks of 2 there are 3 chunks; label chunks draw their own dropout."""
    factory, config = METHODS["drawn"]
    plan = factory(CLASSIFIER, LABEL, config, EVEN, 1).plan()
    with on_devices(8):
        starts, pieces = [0], []
        while starts[-1] < len(plan):
            work, count = next_work(plan, starts[-1])
            pieces.append((work.kind, count))
            starts.append(starts[-1] + count)
    assert set(pieces) >= {("tuples", 3), ("label", 1)}
    assert next_work(plan, [work.kind for work in plan].index("tuples"))[1] == 1


@pytest.mark.parametrize(
    ("name", "kind"), [("drawn", "label"), ("drawn", "tuples"), ("pooled", "pool")]
)
def test_work_is_divided(name, kind):
    """Each of 4 devices computes little more than a quarter of what one would."""
    factory, config = METHODS[name]
    method = factory(CLASSIFIER, LABEL, config, EVEN, 1)
    work = next(work for work in method.plan() if work.kind == kind)
    many = {k: np.repeat(v, 16, work.axis) if np.ndim(v) else v for k, v in work.arrays.items()}
    work = work._replace(arrays=many, examples=np.repeat(work.examples, 16, work.axis))

    def flops(count):
        with on_devices(count):
            state, batch = lay_out(method.init(initial_params())), batches.batch_of(work, EVEN)
            compiled = jit(method.steps[kind]).lower(state, batch).compile()
        return compiled.cost_analysis()["flops"]

    assert flops(4) < 0.35 * flops(1)
