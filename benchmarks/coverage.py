"""How often the 95 % interval of CID holds the true value: simulated unit gradients.

Gradients are normal vectors about their group's mean, divided by their norm. Each setting is
compared with the bootstrap of examples within groups.
"""

import sys
import time
from collections.abc import Sequence

import numpy as np

from harness import make_parser, print_table, write_records
from itune.auditing import cid_test
from itune.cli import run_main
from itune.groups import Group

SIZES = ((8, 8), (20, 20), (60, 60), (200, 200), (40, 8), (100, 20), (200, 8), (20, 20, 20))
SHIFTS = (0.0, 0.3, 3.0)
DRAWS = 99
COLUMNS = (
    *("sizes", "labels", "weights", "dimensions", "common", "cid", "coverage"),
    *("bootstrap_coverage", "half_width", "bootstrap_half_width"),
    *("significant", "excludes_0", "agree"),
)
NARROWING = ((0.0, 0.0), (0.3, 0.0), (0.0, 1.0), (1.0, 0.0))
"""Shift and common mean of the samples whose interval is to narrow."""


def main(argv: list[str]) -> None:
    """Measure, print tables, and write the records."""
    parser = make_parser("coverage.py", __doc__)
    parser.add_argument("--trials", type=int, default=300, help="samples of each setting (300)")
    options = parser.parse_args(argv)
    settings = [(sizes, 1, (1,) * len(sizes), 10, 0.0, s) for sizes in SIZES for s in SHIFTS]
    settings += [((20, 20), 1, (1, 1), 3, 0.0, s) for s in SHIFTS]
    settings += [((40, 40), 2, (4, 1), 10, 1.0, s) for s in SHIFTS]
    settings += [((100, 20), 1, (1, 4), 10, 1.0, s) for s in SHIFTS]
    settings += [((200, 8), 1, (4, 1), 3, 1.0, 0.0)]
    records = [measure(*setting, trials=options.trials) for setting in settings]
    narrowing = [measure_rows(shift, common, options.trials) for shift, common in NARROWING]
    write_records([*records, *narrowing], options.json)
    print_table(records, COLUMNS)
    print_table(narrowing, tuple(narrowing[-1]))


def measure(
    sizes: Sequence[int],
    labels: int,
    weights: Sequence[float],
    dimensions: int,
    common: float,
    shift: float,
    *,
    trials: int,
) -> dict:
    """Coverage of one setting, and how often the interval and the p value agree on 0."""
    rng = np.random.default_rng(0)
    means = _means(len(sizes), dimensions, common, shift)
    truth = _true_cid(means, np.array(sizes), np.array(weights, float))
    confound = np.tile(np.repeat(np.arange(len(sizes)), sizes), labels)
    label = np.repeat(np.arange(labels), sum(sizes))
    share = {Group(y, c): float(w) for y in range(labels) for c, w in enumerate(weights)}
    rows, seconds = [], 0.0
    for _ in range(trials):
        gradients = _draw(means, confound, rng)
        matrix = np.where(label[:, None] == label, gradients @ gradients.T, 0)
        started = time.process_time()
        test = cid_test(matrix, label, confound, share, rng, draws=DRAWS)
        seconds += time.process_time() - started
        ends = _bootstrap(matrix, label, confound, np.array(weights, float), rng)
        rows.append((test.low, test.high, test.p, *ends))
    low, high, p, bootstrap_low, bootstrap_high = np.array(rows).T
    significant, excludes_0 = p <= 0.05, (low > 0) | (high < 0)
    return {
        "sizes": "/".join(map(str, sizes)),
        "labels": labels,
        "weights": ":".join(map(str, weights)),
        "dimensions": dimensions,
        "common": common,
        "cid": truth,
        "trials": trials,
        "coverage": float(np.mean((low <= truth) & (truth <= high))),
        "bootstrap_coverage": float(np.mean((bootstrap_low <= truth) & (truth <= bootstrap_high))),
        "half_width": float(np.mean(high - low)) / 2,
        "bootstrap_half_width": float(np.mean(bootstrap_high - bootstrap_low)) / 2,
        "significant": float(np.mean(significant)),
        "excludes_0": float(np.mean(excludes_0)),
        "bootstrap_excludes_0": float(np.mean((bootstrap_low > 0) | (bootstrap_high < 0))),
        "agree": float(np.mean(significant == excludes_0)),
        "seconds": seconds / trials,
    }


def measure_rows(shift: float, common: float, trials: int) -> dict:
    """What becomes of the half width if a sample of 40 grows to the rows that should halve it."""
    rng = np.random.default_rng(0)
    means = _means(2, 10, common, shift)
    share = {Group(0, 0): 4.0, Group(0, 1): 1.0} if common else {Group(0, 0): 1.0, Group(0, 1): 1.0}

    def draw(size: int):
        confound = np.arange(size) % 2
        gradients = _draw(means, confound, rng)
        zeros = np.zeros(size, int)
        return cid_test(gradients @ gradients.T, zeros, confound, share, rng, draws=1)

    pairs = []
    for _ in range(max(trials // 2, 1)):
        now = draw(40)
        rows = round(40 * 2 ** (1 / now.decay))
        later = draw(rows)
        pairs.append((rows, now.high - now.low, later.high - later.low))
    rows, width, later_width = np.mean(pairs, axis=0)
    return {
        "shift": shift,
        "common": common,
        "rows": 40,
        "rows_to_halve": float(rows),
        "half_width": float(width) / 2,
        "half_width_then": float(later_width) / 2,
        "ratio": float(later_width / width),
    }


def _means(confounds: int, dimensions: int, common: float, shift: float) -> np.ndarray:
    means = shift * np.eye(dimensions)[1 : confounds + 1]
    means[:, 0] += common
    return means


def _draw(means: np.ndarray, confound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    dimensions = means.shape[1]
    rows = means[confound] + rng.normal(size=(len(confound), dimensions)) / np.sqrt(dimensions)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _true_cid(means: np.ndarray, sizes: np.ndarray, weights: np.ndarray) -> float:
    """CID of the groups' expectations, from 100,000 gradients each; 0 where they are equal."""
    if np.all(means == means[0]):
        return 0.0
    rng = np.random.default_rng(1)
    expected = [_draw(means, np.full(100_000, c), rng).mean(axis=0) for c in range(len(means))]
    products = np.array(expected) @ np.array(expected).T
    same = np.diag(products)
    different = (products @ sizes - same * sizes) / (sizes.sum() - sizes)
    return float(weights @ (same - different) / weights.sum())


def _bootstrap(
    matrix: np.ndarray,
    label: np.ndarray,
    confound: np.ndarray,
    weights: np.ndarray,
    rng: np.random.Generator,
    draws: int = 200,
) -> tuple[float, float]:
    """Percentile interval of examples drawn with replacement in each group; copies do not pair."""
    matrix = matrix - np.diag(np.diag(matrix))
    total = np.zeros(draws)
    for y in np.unique(label):
        counts = np.zeros((len(weights), len(label), draws))
        for c in range(len(weights)):
            rows = np.flatnonzero((label == y) & (confound == c))
            counts[c, rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), draws).T
        everyone = counts.sum(axis=0)
        for of_group, weight in zip(counts, weights, strict=True):
            size = of_group.sum(axis=0)
            partners = np.maximum(size - of_group, 1)
            influence = matrix @ of_group / partners
            influence -= matrix @ (everyone - of_group) / (everyone.sum(axis=0) - size)
            total += weight * (of_group * influence).sum(axis=0) / size
    low, high = np.quantile(total / (len(np.unique(label)) * weights.sum()), [0.025, 0.975])
    return float(low), float(high)


if __name__ == "__main__":
    sys.exit(run_main(main))
