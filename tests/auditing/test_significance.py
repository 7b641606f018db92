"""The interval and the permutation test of CID agree with loops over the definition."""

import numpy as np
import pytest
from scipy.stats import t as student

from itune.auditing import cid_test
from itune.errors import UserError
from itune.groups import Group

LABEL = np.array([0] * 7 + [1] * 6)
CONFOUND = np.array([0, 0, 0, 1, 1, 2, 2, 0, 0, 0, 1, 1, 1])
SHARE = {Group(0, 0): 0.5, Group(0, 1): 0.1, Group(0, 2): 0.1, Group(1, 0): 0.2, Group(1, 1): 0.1}


def cid_by_definition(matrix, label, confound, share, origin=None):
    """Weighted mean over groups of the CID of their probes; equal origins are copies."""
    origin = np.arange(len(label)) if origin is None else origin
    total = weight = 0
    for group, w in share.items():
        values = []
        for p in np.flatnonzero((label == group.label) & (confound == group.confound)):
            has_label, is_copy = label == label[p], origin == origin[p]
            same = has_label & (confound == confound[p]) & ~is_copy
            different = has_label & (confound != confound[p])
            if same.any():
                values.append(matrix[p, same].mean() - matrix[p, different].mean())
        total, weight = total + w * np.mean(values or [0]), weight + w
    return total / weight


def cosines(rows):
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit @ unit.T


@pytest.fixture
def matrix():
    return cosines(np.random.default_rng(0).normal(size=(13, 6)))


class FixedDraws:
    """A random generator whose permuted codes are given."""

    def __init__(self, codes):
        self.codes = list(codes)

    def permuted(self, codes, axis):
        return np.repeat(np.array(self.codes.pop(0))[:, None], codes.shape[1], axis=1)


def test_cid_is_its_definition(matrix):
    result = cid_test(matrix, LABEL, CONFOUND, SHARE, np.random.default_rng(0), draws=10)
    expected = cid_by_definition(matrix, LABEL, CONFOUND, SHARE)
    assert result.cid == pytest.approx(expected, abs=1e-12)
    assert result.size == 13 and result.draws == 10


def test_the_permutation_observed_is_as_far_from_0(matrix):
    observed_codes = [[0, 0, 0, 1, 1, 2, 2], [0, 0, 0, 1, 1, 1]]
    assert cid_test(matrix, LABEL, CONFOUND, SHARE, FixedDraws(observed_codes), draws=1).p == 1


@pytest.mark.parametrize("scale", [1, -1])
def test_one_permutation_counts_if_it_is_as_far_from_0_on_either_side(matrix, scale):
    codes = [[1, 0, 2, 0, 1, 0, 2], [1, 0, 1, 0, 1, 0]]
    matrix = scale * matrix
    result = cid_test(matrix, LABEL, CONFOUND, SHARE, FixedDraws(codes), draws=1)
    permuted = cid_by_definition(matrix, LABEL, np.concatenate(codes), SHARE)
    observed = cid_by_definition(matrix, LABEL, CONFOUND, SHARE)
    assert result.p == (1 if abs(permuted) >= abs(observed) else 0.5)


@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_an_effect_is_significant_and_noise_is_not(shift):
    label, confound = np.repeat([0, 1], 60), np.resize([0, 1, 2], 120)
    share = {Group(y, c): 1.0 for y in (0, 1) for c in (0, 1, 2)}
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(120, 6))
    rows[np.arange(120), confound] += shift
    result = cid_test(cosines(rows), label, confound, share, rng, draws=400)
    if shift:
        assert result.low > 0.05 and result.p == pytest.approx(1 / 401)
    else:
        assert result.low < 0 < result.high and result.p > 0.05


def test_the_interval_of_noise_covers_0():
    """In most of 60 samples without an effect, as few of their p values are small; both agree."""
    label, confound = np.zeros(40, int), np.resize([0, 1], 40)
    share = {Group(0, 0): 1.0, Group(0, 1): 1.0}
    covered, small, agree = 0, 0, 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        matrix = cosines(rng.normal(size=(40, 8)))
        result = cid_test(matrix, label, confound, share, rng, draws=200)
        covered += result.low <= 0 <= result.high
        small += result.p < 0.05
        agree += (result.low > 0) == (result.p < 0.05)
    assert covered >= 51 and small <= 8 and agree >= 57


def spread_by_definition(x, confound, weights, s):
    """θ and the variance of CID at s, and var(V), by gradients themselves instead of influences."""
    groups = [x[confound == c] for c in range(len(weights))]
    sizes = np.array([len(rows) for rows in groups])
    mean = np.array([rows.mean(axis=0) for rows in groups])
    overall = x.mean(axis=0)
    path = overall + s * (mean - overall)
    u = weights * len(x) / (len(x) - sizes)
    theta = sum(u[c] * path[c] @ (path[c] - overall) for c in range(len(u)))
    first, second, rows_of = [], 0.0, []
    for c, rows in enumerate(groups):
        n, e = sizes[c], rows - rows.mean(axis=0)

        def slope(i, c=c, rows=rows, n=n):
            """Derivative of θ by the mean of c, the group's mean without row i, as scaled."""
            total = 0.0
            own = [j for j in range(n) if j != i]
            for d, members in enumerate(groups):
                a = 2 * u[c] * (c == d) - (u[c] * sizes[d] + u[d] * sizes[c]) / len(x)
                at_0 = (u[c] - sizes[c] / len(x) * u.sum()) * sizes[d] / len(x)
                part = at_0 + s * (a - at_0)
                if c == d:
                    total += part * (rows[own] @ rows[i]).mean() * (n - 1) / (n - 2)
                else:
                    total += part * (members @ rows[i]).mean()
            return total

        projected = np.array([slope(i) for i in range(n)])
        first.append((projected - projected.mean()) ** 2 / (n * (n - 1)))
        quadratic = np.zeros(n)
        for d, members in enumerate(groups):
            a = 2 * u[c] * (c == d) - (u[c] * sizes[d] + u[d] * sizes[c]) / len(x)
            m = sizes[d]
            if c != d:
                centred = e @ (members - mean[d]).T
                quadratic += a**2 / (n * m) * (centred**2).sum(1) / ((n - 1) * (m - 1))
                continue
            gram = rows @ rows.T * (1 - np.eye(n))
            for i in range(n):
                for j in set(range(n)) - {i}:
                    centred = gram[i, j] - (gram[i].sum() + gram[j].sum()) / (n - 2)
                    centred += gram.sum() / ((n - 1) * (n - 2))
                    quadratic[i] += a**2 / (n * (n - 1)) * centred**2 / (n * (n - 3))
        second += quadratic.sum() / 2
        rows_of.append(first[-1] + quadratic)
    jackknife = sum(len(r) * r.var(ddof=1) for r in rows_of)
    normal = sum(2 / (len(f) - 1) * f.sum() ** 2 for f in first)
    return theta, sum(f.sum() for f in first) + second, max(jackknife, normal)


@pytest.mark.parametrize("shift", [0.0, 0.4, 2.0])
@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0), (0.6, 0.1, 0.3)])
def test_the_ends_are_where_the_distance_is_t_standard_deviations(shift, weights):
    confound = np.repeat([0, 1, 2], [6, 9, 5])
    x = np.random.default_rng(5).normal(size=(20, 4)) + 0.3
    x[np.arange(20), confound] += shift
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    share = {Group(0, c): w for c, w in enumerate(weights)}
    zeros = np.zeros(20, int)
    result = cid_test(x @ x.T, zeros, confound, share, np.random.default_rng(0), draws=1)
    weights = np.array(weights)
    observed = result.cid * weights.sum()

    grid = np.linspace(-6, 6, 1201)
    thetas = np.array([spread_by_definition(x, confound, weights, s)[0] for s in grid[::300]])
    square, linear, _ = np.polyfit(grid[::300], thetas, 2)
    vertex = -linear / (2 * square)
    side = 1 if vertex <= 1 else -1
    least = -square * vertex**2
    for end in (result.low, result.high):
        theta = end * weights.sum()
        s = vertex + side * np.sqrt(max(theta - least, 0) / square)
        _, variance, noise = spread_by_definition(x, confound, weights, s)
        t = student.ppf(0.975, max(2 * variance**2 / noise, 1))
        assert abs(theta - observed) == pytest.approx(t * np.sqrt(variance), rel=1e-5)
    assert result.low < result.cid < result.high


def test_rows_wanted_halve_the_interval():
    """With 2 ** (1 / decay) times as many rows; near 0 that is twice, not four times as many."""

    def draw(size, rng):
        rows = rng.normal(size=(size, 8))
        confound = np.arange(size) % 2
        share = {Group(0, 0): 1.0, Group(0, 1): 1.0}
        return cid_test(cosines(rows), np.zeros(size, int), confound, share, rng, draws=1)

    widths = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        now = draw(40, rng)
        later = draw(round(40 * 2 ** (1 / now.decay)), rng)
        widths.append((now.high - now.low, later.high - later.low, now.decay))
    now, later, decay = np.mean(widths, axis=0)
    assert later / now == pytest.approx(0.5, abs=0.06) and decay > 0.7


@pytest.mark.parametrize("sizes", [(30, 2, 1), (2,) * 10, (2, 1), (200, 8)])
def test_groups_too_small_for_a_variance_borrow_one(sizes):
    rng = np.random.default_rng(0)
    confound = np.repeat(np.arange(len(sizes)), sizes)
    share = {Group(0, c): 1.0 for c in range(len(sizes))}
    zeros = np.zeros(len(confound), int)
    matrix = cosines(rng.normal(size=(len(confound), 5)))
    result = cid_test(matrix, zeros, confound, share, rng, draws=1)
    if sum(sizes) < 4:
        assert np.isnan(result.low) and np.isnan(result.high)
    else:
        assert result.low < result.cid < result.high


def test_influences_that_are_all_equal_have_an_interval_of_no_width():
    confound = np.repeat([0, 1], 8)
    share = {Group(0, 0): 1.0, Group(0, 1): 1.0}
    zeros, rng = np.zeros(16, int), np.random.default_rng(0)
    result = cid_test(np.ones((16, 16)), zeros, confound, share, rng, draws=1)
    assert (result.low, result.high) == pytest.approx((0, 0), abs=1e-9)


def test_nothing_to_compare():
    with pytest.raises(UserError, match="no label of the sample has two confounds"):
        cid_test(np.eye(4), np.zeros(4, int), np.zeros(4, int), {}, np.random.default_rng(0))
