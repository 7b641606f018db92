import numpy as np
import pytest
from scipy.optimize import approx_fprime

from itune.auditing import run_linear_probe
from itune.auditing.linear_probe import _objective


def make(shift, size=120, seed=0):
    """Confounds 0 and 1 in label 0, 0 to 2 in label 1; each moved along an axis of its own."""
    rng = np.random.default_rng(seed)
    label = np.resize([0, 1], size)
    confound = np.where(label == 0, rng.integers(0, 2, size), rng.integers(0, 3, size))
    pooled = rng.normal(size=(size, 5))
    pooled[np.arange(size), confound] += shift
    return pooled, label, confound


def test_what_can_be_told_is_told():
    probe = run_linear_probe(*make(8.0), np.random.default_rng(0))
    assert probe.balanced_accuracy > 0.97 and set(probe.by_label) == {0, 1}
    assert probe.chance == pytest.approx((1 / 2 + 1 / 3) / 2) and probe.size == 120


def test_noise_is_at_chance():
    """Held out: examples that are fitted to could be told by heart."""
    pooled, label, confound = make(0.0, size=600)
    probe = run_linear_probe(pooled, label, confound, np.random.default_rng(0))
    assert abs(probe.balanced_accuracy - probe.chance) < 0.08


def test_rare_confounds_count_as_much():
    """95 of 100 are confound 0; always saying 0 would be a balanced accuracy of 0.5."""
    rng = np.random.default_rng(0)
    confound = np.repeat([0, 1], [190, 10])
    pooled = rng.normal(size=(200, 2)) + 3 * confound[:, None]
    probe = run_linear_probe(pooled, np.zeros(200, int), confound, rng)
    assert probe.balanced_accuracy > 0.85


def test_too_few():
    pooled, label, confound = make(1.0, size=30)
    confound[:] = 0
    confound[:4] = 1  # fewer than five of each label
    assert run_linear_probe(pooled, label, confound, np.random.default_rng(0)) is None


def test_a_constant_feature():
    pooled, label, confound = make(8.0)
    pooled[:, 4] = 7
    assert (
        run_linear_probe(pooled, label, confound, np.random.default_rng(0)).balanced_accuracy > 0.97
    )


def test_gradient():
    rng = np.random.default_rng(0)
    units, codes = np.column_stack([rng.normal(size=(9, 2)), np.ones(9)]), np.resize([0, 1, 2], 9)
    fun = _objective(units, codes, 0.7)
    at = rng.normal(size=9)
    numeric = approx_fprime(at, lambda w: fun(w)[0], 1e-6)
    np.testing.assert_allclose(fun(at)[1], numeric, atol=1e-5)
