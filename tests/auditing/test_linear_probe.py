"""The linear probe predicts what it can, on held-out examples, and weighs confounds equally."""

import subprocess
import sys

import numpy as np
import pytest

from itune.auditing.linear_probe import run_linear_probe


def make(shift, size=120, seed=0):
    """Confounds 0 and 1 in label 0, 0 to 2 in label 1; each is moved along an axis of its own."""
    rng = np.random.default_rng(seed)
    label = np.resize([0, 1], size)
    confound = np.where(label == 0, rng.integers(0, 2, size), rng.integers(0, 3, size))
    pooled = rng.normal(size=(size, 5))
    pooled[np.arange(size), confound] += shift
    return pooled, label, confound


def test_separable_confounds_are_predicted():
    probe = run_linear_probe(*make(8.0), np.random.default_rng(0))
    assert probe.balanced_accuracy > 0.97 and set(probe.by_label) == {0, 1}
    assert probe.chance == pytest.approx((1 / 2 + 1 / 3) / 2) and probe.size == 120


def test_noise_is_predicted_at_chance():
    """On held-out examples: those that a probe was fitted to could be memorised."""
    pooled, label, confound = make(0.0, size=600)
    probe = run_linear_probe(pooled, label, confound, np.random.default_rng(0))
    assert abs(probe.balanced_accuracy - probe.chance) < 0.08


def test_rare_confounds_count_as_much_as_frequent_ones():
    """190 of 200 are confound 0; predicting it always would be a balanced accuracy of 0.5."""
    rng = np.random.default_rng(0)
    confound = np.repeat([0, 1], [190, 10])
    pooled = rng.normal(size=(200, 2)) + 3 * confound[:, None]
    probe = run_linear_probe(pooled, np.zeros(200, int), confound, rng)
    assert probe.balanced_accuracy > 0.85


def test_labels_with_too_few_examples_of_a_confound_are_left_out():
    pooled, label, confound = make(1.0, size=30)
    confound[:] = 0
    confound[:4] = 1  # fewer than five of each label
    assert run_linear_probe(pooled, label, confound, np.random.default_rng(0)) is None
    confound[:10] = 1  # now five of each
    assert run_linear_probe(pooled, label, confound, np.random.default_rng(0)).size == 30


def test_a_rare_confound_is_left_out_of_its_label():
    pooled, label, confound = make(8.0)
    label[:] = 0
    confound[:] = np.resize([0, 1], 120)
    confound[:4] = 2
    probe = run_linear_probe(pooled, label, confound, np.random.default_rng(0))
    assert (probe.size, probe.chance) == (116, 0.5)


def test_constant_features_do_no_harm():
    pooled, label, confound = make(8.0)
    pooled[:, 4] = 7
    probe = run_linear_probe(pooled, label, confound, np.random.default_rng(0))
    assert probe.balanced_accuracy > 0.97


def test_the_same_seed_gives_the_same_probe():
    pooled, label, confound = make(0.5)
    first, again, other = (
        run_linear_probe(pooled, label, confound, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert first == again != other


def test_importing_the_audit_leaves_what_takes_long_unimported():
    slow = {"sklearn", "scipy.stats", "scipy.optimize", "pandas", "matplotlib"}
    check = f"import sys, itune.auditing; sys.exit(', '.join({slow} & sys.modules.keys()) or 0)"
    found = subprocess.run([sys.executable, "-c", check], check=False, capture_output=True)
    assert (found.returncode, found.stderr) == (0, b"")
