"""The whole audit of a small model: its parts are what they are made of."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from itune.auditing import AuditConfig, audit
from itune.data.dataset import HIDDEN, Dataset
from itune.errors import UserError
from itune.groups import Group
from itune.influence import LinenLoss, cross_entropy
from itune.methods import Classifier
from itune.metrics import make_cid

CONFIG = AuditConfig(sample=16, draws=50, whole="always", chunk=4)


class Both(NamedTuple):
    logits: jax.Array
    pooled: jax.Array


class Output(nn.Module):
    """Logits and pooled vector of a bag of words."""

    @nn.compact
    def __call__(self, input_ids, mask):
        words = nn.Embed(9, 4, param_dtype=jnp.float64)(input_ids)
        pooled = jnp.tanh((words * mask[..., None]).sum(axis=-2) / mask.sum())
        return Both(nn.Dense(2, param_dtype=jnp.float64, name="classifier")(pooled), pooled)


def loss_of(apply, example):
    mask = example["attention_mask"].astype(jnp.float64)
    return cross_entropy(apply(example["input_ids"], mask).logits, example["label"])


def outputs(params, examples, key):
    assert key is None  # an audit has no dropout

    def one(ids, mask):
        return Output().apply({"params": params}, ids, mask.astype(jnp.float64))

    return jax.vmap(one)(examples["input_ids"], examples["attention_mask"])


CLASSIFIER = Classifier(LinenLoss(Output(), loss_of), outputs, width=4)


def make_data(size, seed, hidden=0):
    """The confound is in the first three words, 1 or 2; the label is any."""
    rng = np.random.default_rng(seed)
    label, confound = rng.integers(0, 2, (2, size)).astype(np.int32)
    ids = [np.array([1 + c] * 3 + [*rng.integers(3, 9, 2)], np.int32) for c in confound]
    confound[:hidden] = HIDDEN
    return Dataset(ids, label, confound)


@pytest.fixture(scope="module")
def params():
    shapes = jax.eval_shape(Output().init, jax.random.key(0), jnp.zeros(3, int), jnp.ones(3))
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), shapes["params"])


@pytest.fixture(scope="module")
def found(params):
    train, test = make_data(60, 0), make_data(30, 1)
    steps = []
    result = audit(
        CLASSIFIER,
        params,
        train,
        {"test": test},
        CONFIG,
        on_progress=lambda *step: steps.append(step),
    )
    return result, train, steps


def test_everyone(found, params):
    result, train, _ = found
    cid = make_cid(CLASSIFIER.loss, train, probes=np.arange(60))(params)
    assert result.influence.cid == pytest.approx(cid.without_self.mean(), abs=1e-12)
    assert result.influence.probes == 60


def test_sample(found):
    result, train, _ = found
    assert len(result.sample) == 16 == len(result.matrix)
    groups = 2 * train.label[result.sample] + train.confound[result.sample]
    assert np.bincount(groups).tolist() == [4] * 4
    assert result.test.low < result.test.cid < result.test.high
    np.testing.assert_allclose(np.diag(result.matrix), 1, atol=1e-6)
    assert result.label.tolist() == train.label[result.sample].tolist()
    assert result.confound.tolist() == train.confound[result.sample].tolist()
    assert result.share == pytest.approx(
        {group: np.mean(groups_of_train(train) == str(group)) for group in result.share}
    )


def groups_of_train(train):
    return np.array([str(Group(y, c)) for y, c in zip(train.label, train.confound, strict=True)])


def test_behaviour_and_probe(found):
    result, _, _ = found
    assert {name: b.size for name, b in result.behaviour.items()} == {"train": 60, "test": 30}
    assert result.probe.size == 60 and result.probe.balanced_accuracy > 0.65


def test_progress(found):
    steps = found[2]
    parts = list(dict.fromkeys(part for part, _, _ in steps))
    assert parts == ["predictions", "sample", "CID"]
    for part in parts:
        last = [step[1:] for step in steps if step[0] == part][-1]
        assert last[0] == last[1]


def test_left_out_where_it_takes_too_long(params):
    train = make_data(60, 0)
    config = AuditConfig(sample=8, draws=5, minutes=0.0, chunk=4)
    result = audit(CLASSIFIER, params, train, {}, config)
    assert result.influence is None and result.minutes_of_whole > 0


def test_hidden_confounds_have_no_part(params):
    train = make_data(60, 0, hidden=20)
    result = audit(CLASSIFIER, params, train, {}, CONFIG)
    assert np.all(result.confound == train.confound[result.sample])
    assert sum(result.share.values()) == pytest.approx(1)
    assert result.sample.min() >= 20 and result.influence.probes == 40
    assert result.probe.size == 40 and result.behaviour["train"].size == 60


def test_nothing_to_compare(params):
    train = make_data(20, 0)
    same = Dataset(train.input_ids, train.label, train.label)
    with pytest.raises(UserError, match="^no label of the training data occurs with two confounds"):
        audit(CLASSIFIER, params, same, {}, CONFIG)


@pytest.mark.parametrize(("name", "value"), [("sample", 7), ("draws", 0), ("whole", "maybe")])
def test_config(name, value):
    with pytest.raises(UserError, match=f"^{name} must be .*, got {value!r}$"):
        AuditConfig(**{name: value})
