"""CID in two passes against the matrix of all pairs."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax.flatten_util import ravel_pytree

from itune.data.dataset import Dataset, collate
from itune.errors import UserError
from itune.influence import LinenLoss, cross_entropy
from itune.metrics import CID, make_cid, make_group_influences


class Bag(nn.Module):
    @nn.compact
    def __call__(self, input_ids, mask):
        words = nn.Embed(9, 4, param_dtype=jnp.float64)(input_ids)
        mean = (words * mask[..., None]).sum(axis=-2) / mask.sum()
        return nn.Dense(3, param_dtype=jnp.float64)(jnp.tanh(mean))


def loss_of(apply, example):
    mask = example["attention_mask"].astype(jnp.float64)
    return cross_entropy(apply(example["input_ids"], mask), example["label"])


LOSS = LinenLoss(Bag(), loss_of)


def make_dataset(label, confound):
    rng = np.random.default_rng(0)
    ids = [rng.integers(1, 9, n).astype(np.int32) for n in rng.integers(2, 9, len(label))]
    return Dataset(ids, np.array(label, np.int32), np.array(confound, np.int32))


@cache
def params():
    shapes = jax.eval_shape(Bag().init, jax.random.key(0), jnp.zeros(3, int), jnp.ones(3))
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), shapes["params"])


def pair_matrix(dataset):
    """``I(i, j)`` of all examples by ``jax.grad`` of each."""
    batch = collate(dataset, np.arange(len(dataset)))
    gradients = jax.jit(jax.vmap(jax.grad(LOSS), (None, 0)))(params(), batch)
    rows = np.asarray(jax.vmap(lambda g: ravel_pytree(g)[0])(gradients))
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return rows @ rows.T


def by_definition(dataset, probes, *, with_self):
    influences = pair_matrix(dataset)
    index = np.arange(len(dataset))
    differences = []
    for probe in probes:
        has_label = dataset.label == dataset.label[probe]
        has_confound = dataset.confound == dataset.confound[probe]
        same = has_label & has_confound & (with_self | (index != probe))
        different = has_label & ~has_confound
        mean_same = influences[probe, same].mean() if same.any() else np.nan
        differences.append(mean_same - influences[probe, different].mean())
    return np.array(differences)


THREE_VALUED = make_dataset(
    [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2],
    [0, 0, 0, 0, 1, 2, 2, 1, 1, 1, 0, 0, 0, 1, 1],
)


@pytest.mark.parametrize("chunk", [1, 4])
def test_against_all_pairs(chunk):
    """Labels 0 and 1 have three and two confounds; label 2 has one, so no CID; 4 is alone."""
    probes = np.array([12, 4, 0, 13, 7, 2, 5])
    cid = make_cid(LOSS, THREE_VALUED, probes=probes, chunk=chunk)(params())
    assert cid.probes.tolist() == [0, 2, 4, 5, 7, 12] and cid.has_gradient.all()
    for with_self, differences in ((True, cid.with_self), (False, cid.without_self)):
        expected = by_definition(THREE_VALUED, cid.probes, with_self=with_self)
        np.testing.assert_allclose(differences, expected, rtol=0, atol=1e-10)
    assert np.isnan(cid.without_self).tolist() == [False, False, True, False, False, False]
    assert np.abs(cid.with_self - cid.without_self)[[0, 1, 3, 4, 5]].min() > 1e-3
    assert np.isfinite(list(cid.summary().values())).all()


def test_summary():
    with_self, without_self = np.array([[0.1, 0.2, 0.3, 0.4], [0.1, np.nan, 0.4, 0.4]])
    cid = CID(np.arange(4), with_self, without_self, np.array([True, True, True, False]))
    assert cid.summary() == {
        "cid": pytest.approx(0.25),
        "cid_without_self": pytest.approx(0.3),
        "cid_standard_error": pytest.approx(0.1),  # sqrt((0.04 + 0.01 + 0.01) / 2) / sqrt(3)
        "cid_without_gradient": 0.25,
    }
    alone = cid._replace(without_self=np.array([np.nan, np.nan, np.nan, 0.5])).summary()
    assert alone["cid_without_self"] == 0.5 and np.isnan(alone["cid_standard_error"])
    nobody = cid._replace(without_self=np.full(4, np.nan)).summary()
    assert nobody["cid"] == pytest.approx(0.25) and np.isnan(nobody["cid_without_self"])


def test_no_probe_has_both_groups():
    with pytest.raises(UserError, match="^CID is undefined: none of the 2 probes .* cid_probes"):
        make_cid(LOSS, THREE_VALUED, probes=np.array([13, 14]))


def test_everyone_against_everyone_by_group():
    everyone = np.arange(len(THREE_VALUED))
    cid = make_cid(LOSS, THREE_VALUED, probes=everyone)(params())
    assert cid.probes.tolist() == list(range(13))  # label 2 has one confound only
    expected = by_definition(THREE_VALUED, cid.probes, with_self=False)
    np.testing.assert_allclose(cid.without_self, expected, rtol=0, atol=1e-10)
    groups = cid.by_group(THREE_VALUED)
    assert [str(group) for group in groups] == [
        "y=0 c=0",
        "y=0 c=1",
        "y=0 c=2",
        "y=1 c=0",
        "y=1 c=1",
    ]
    some = expected[[7, 8, 9]]  # label 1, confound 1
    summary = groups[next(c for c in groups if str(c) == "y=1 c=1")].summary()
    assert summary["cid_without_self"] == pytest.approx(some.mean())
    assert summary["cid_standard_error"] == pytest.approx(some.std(ddof=1) / np.sqrt(3))


def test_means_of_groups():
    """By all pairs: label 0 has three confounds, and probe 4 is alone in its group."""
    fun = make_group_influences(LOSS, THREE_VALUED, probes=np.array([5, 0, 4]), chunk=2)
    influences = fun(params())
    matrix = pair_matrix(THREE_VALUED)
    assert influences.probes.tolist() == [0, 4, 5] and influences.own.tolist() == [1, 1, 1]
    assert [str(influences.groups[c]) for c in influences.group] == [
        "y=0 c=0",
        "y=0 c=1",
        "y=0 c=2",
    ]
    members = [np.arange(4), np.array([4]), np.array([5, 6])]
    for row, probe in enumerate(influences.probes):
        for column, indices in enumerate(members):
            with_self = matrix[probe, indices].mean()
            others = indices[indices != probe]
            without = matrix[probe, others].mean() if len(others) else np.nan
            means = [influences.means(with_self=it)[row, column] for it in (True, False)]
            np.testing.assert_allclose(means, [with_self, without], rtol=0, atol=1e-10)
    assert np.isnan(influences.means(with_self=True)[:, 3:]).all()  # groups of other labels


def test_progress():
    calls = []
    make_group_influences(
        LOSS,
        THREE_VALUED,
        probes=np.arange(13),
        chunk=4,
        on_progress=lambda done, total: calls.append((done, total)),
    )(params())
    assert [done for done, _ in calls] == list(range(1, 11)) and {t for _, t in calls} == {10}
