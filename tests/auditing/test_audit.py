"""The audit of a small model: its parts agree with what they are computed from."""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from itune.auditing import AuditConfig, audit_classifier
from itune.auditing.predictions import predict
from itune.data.dataset import Dataset
from itune.errors import UserError
from itune.groups import HIDDEN, Group
from itune.influence import LinenLoss, cross_entropy
from itune.methods import Classifier
from itune.metrics import make_cid

CONFIG = AuditConfig(sample=16, draws=50, whole="always", chunk=4)


class Outputs(NamedTuple):
    logits: jax.Array
    pooled: jax.Array


class BagOfWords(nn.Module):
    """Logits and pooled vector of a bag of words."""

    @nn.compact
    def __call__(self, input_ids, mask):
        words = nn.Embed(9, 4, param_dtype=jnp.float64)(input_ids)
        pooled = jnp.tanh((words * mask[..., None]).sum(axis=-2) / mask.sum())
        return Outputs(nn.Dense(2, param_dtype=jnp.float64, name="classifier")(pooled), pooled)


def loss_of(apply, example):
    mask = example["attention_mask"].astype(jnp.float64)
    return cross_entropy(apply(example["input_ids"], mask).logits, example["label"])


def outputs(params, examples, key):
    assert key is None  # an audit has no dropout

    def one(ids, mask):
        return BagOfWords().apply({"params": params}, ids, mask.astype(jnp.float64))

    return jax.vmap(one)(examples["input_ids"], examples["attention_mask"])


CLASSIFIER = Classifier(LinenLoss(BagOfWords(), loss_of), outputs, width=4)


def make_data(size, seed, hidden=0):
    """Texts whose first three words, 1 or 2, give the confound away; labels are drawn at random."""
    rng = np.random.default_rng(seed)
    label, confound = rng.integers(0, 2, (2, size)).astype(np.int32)
    ids = [np.array([1 + c] * 3 + [*rng.integers(3, 9, 2)], np.int32) for c in confound]
    confound[:hidden] = HIDDEN
    return Dataset(ids, label, confound)


@pytest.fixture(scope="module")
def params():
    shapes = jax.eval_shape(BagOfWords().init, jax.random.key(0), jnp.zeros(3, int), jnp.ones(3))
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), shapes["params"])


@pytest.fixture(scope="module")
def train():
    return make_data(60, seed=0)


@pytest.fixture(scope="module")
def progress():
    """Calls of ``on_progress``, filled by ``result``."""
    return []


@pytest.fixture(scope="module")
def result(params, train, progress):
    test = make_data(30, seed=1)

    def on_progress(part, done, total):
        progress.append((part, done, total))

    return audit_classifier(
        CLASSIFIER, params, train, {"test": test}, CONFIG, on_progress=on_progress
    )


def test_cid_of_all_rows_is_the_mean_over_probes(result, params, train):
    cid = make_cid(CLASSIFIER.loss, train, probes=np.arange(60))(params)
    assert result.influence.cid == pytest.approx(cid.without_self.mean(), abs=1e-12)
    assert result.influence.probes == 60 and result.without_gradient == 0


def test_the_sample_has_equally_many_of_each_group(result, train):
    assert len(result.sample) == 16 == len(result.matrix)
    groups = 2 * train.label[result.sample] + train.confound[result.sample]
    assert np.bincount(groups).tolist() == [4] * 4
    assert result.label.tolist() == train.label[result.sample].tolist()
    assert result.confound.tolist() == train.confound[result.sample].tolist()


def test_cid_of_the_sample_is_in_its_interval(result):
    assert result.test.low < result.test.cid < result.test.high
    np.testing.assert_allclose(np.diag(result.matrix), 1, atol=1e-6)


def test_groups_are_weighted_by_their_share_of_the_training_data(result, train):
    expected = {
        Group(y, c): np.mean((train.label == y) & (train.confound == c))
        for y in (0, 1)
        for c in (0, 1)
    }
    assert result.share == pytest.approx(expected)


def test_every_data_set_is_predicted(result):
    assert {name: b.size for name, b in result.behaviour.items()} == {"train": 60, "test": 30}


def test_the_probe_predicts_the_confound_that_the_words_give_away(result):
    assert result.probe.size == 60 and result.probe.balanced_accuracy > 0.65


def test_progress_goes_through_the_parts_to_their_ends(result, progress):
    last = {part: (done, total) for part, done, total in progress}
    assert list(last) == ["predictions", "sample", "CID"]
    assert all(done == total for done, total in last.values())


def test_cid_of_all_rows_is_left_out_if_it_takes_too_long(params, train):
    config = AuditConfig(sample=8, draws=5, minutes=0.0, chunk=4)
    result = audit_classifier(CLASSIFIER, params, train, {}, config)
    assert result.influence is None and result.minutes_of_whole > 0


def test_rows_that_are_not_annotated_have_no_part_in_cid_and_probe(params):
    train = make_data(60, seed=0, hidden=20)
    result = audit_classifier(CLASSIFIER, params, train, {}, CONFIG)
    assert np.all(result.confound == train.confound[result.sample])
    assert sum(result.share.values()) == pytest.approx(1)
    assert result.sample.min() >= 20 and result.influence.probes == 40
    assert result.probe.size == 40 and result.behaviour["train"].size == 60


def test_rows_without_gradient_are_counted(params, train):
    """A head so large that probabilities are rounded to 0 and 1: only wrong rows have gradients."""
    certain = params | {"classifier": jax.tree.map(lambda leaf: 1e6 * leaf, params["classifier"])}
    everyone = np.arange(len(train))
    is_right = predict(CLASSIFIER, certain, train, everyone).logits.argmax(axis=1) == train.label
    result = audit_classifier(CLASSIFIER, certain, train, {}, CONFIG)
    assert result.influence.without_gradient == result.without_gradient == is_right.mean()
    sample = audit_classifier(CLASSIFIER, certain, train, {}, replace(CONFIG, whole="never"))
    shares = [
        share * is_right[sample.sample][(sample.label == y) & (sample.confound == c)].mean()
        for (y, c), share in sample.share.items()
    ]
    assert sample.without_gradient == pytest.approx(sum(shares)) and 0.2 < sum(shares) < 0.8


def test_labels_of_one_confound_each_are_refused(params, train):
    same = Dataset(train.input_ids, train.label, train.label)
    with pytest.raises(UserError, match="^no label of the training data occurs with two confounds"):
        audit_classifier(CLASSIFIER, params, same, {}, CONFIG)


@pytest.mark.parametrize(("name", "value"), [("sample", 7), ("draws", 0), ("whole", "maybe")])
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(UserError, match=f"^{name} must be .*, got {value!r}$"):
        AuditConfig(**{name: value})
