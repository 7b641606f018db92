"""Padding and chunks change nothing but dropout."""

import pytest

from itune.methods import InfluenceConfig, LabelConfig
from itune.methods.embedding_tuning import EmbeddingConfig, embedding_tuning
from itune.methods.influence_tuning import influence_tuning
from itune.methods.lisa import LisaConfig, lisa
from itune.training.batches import batch_of
from itune.training.loop import Evaluator, Training, train
from itune.training.metrics_log import read_metrics
from tests.helpers.tiny_method import CLASSIFIER, EVEN, assert_close, initial_params, outputs

WITHOUT_DROPOUT = CLASSIFIER._replace(outputs=lambda params, rows, _: outputs(params, rows, None))
ROUNDS = {"interval": 3, "epochs": 2, "probes": 6, "k": 2, "learning_rate": 0.03}
METHODS = {
    "drawn": (influence_tuning, InfluenceConfig, {"batch": 5, **ROUNDS}),
    "pooled": (influence_tuning, InfluenceConfig, {"batch": 12, "partners": "pooled", **ROUNDS}),
    "embedding": (embedding_tuning, EmbeddingConfig, {"batch": 5, **ROUNDS}),
    "lisa": (lisa, LisaConfig, {}),
}


def run(name, folder, data, chunk):
    """Train; return parameters, what was logged, and the shapes of examples."""
    factory, config, values = METHODS[name]
    if name != "lisa":
        values = values | {"chunk": min(chunk, 2)}
    label = LabelConfig(epochs=2, batch=8, chunk=chunk, learning_rate=0.1)
    method = factory(WITHOUT_DROPOUT, label, config(**values), data, 1)
    evaluator = Evaluator(lambda params: {"bias": float(params["classifier"]["bias"][0])}, 1.0)
    folder.mkdir()
    evaluators = dict.fromkeys(("cid", "accuracy"), evaluator)
    (outcome,) = train([Training(method, initial_params(), data, evaluators, folder)])
    work = [it for it in method.plan() if it.examples is not None]
    shapes = {batch_of(it, data)["examples"]["input_ids"].shape for it in work}
    return outcome.params, read_metrics(folder / "metrics.jsonl"), shapes


@pytest.mark.parametrize("name", METHODS)
def test_padding_changes_no_result(name, tmp_path):
    """Lengths are from 2 to 8; the plain way computes all of an update at once, 16 tokens each."""
    params, rows, shapes = run(name, tmp_path / "a", EVEN.padded_to((5, 8)), 2)
    plain, plain_rows, plain_shapes = run(name, tmp_path / "b", EVEN.padded_to(16), 8)
    assert {shape[-1] for shape in plain_shapes} == {16}
    assert len({shape[-1] for shape in shapes}) > 1 and max(shape[-1] for shape in shapes) == 8
    assert_close(params, plain)
    for row, other in zip(rows, plain_rows, strict=True):
        assert row.pop("kind") == other.pop("kind") and row.pop("note") == other.pop("note")
        assert_close(row, other)
