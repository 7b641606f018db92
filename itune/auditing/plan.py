"""Decide from measured costs which parts of an audit use all rows, and which use a sample."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.auditing.config import ALWAYS, AUTO, AuditConfig
from itune.auditing.predictions import CHUNK, predict
from itune.data.dataset import Dataset, collate_shared
from itune.errors import option
from itune.methods.base import Classifier, Params
from itune.metrics.cid import compiled_sums
from itune.utils.devices import lay_out, of_first, on_all
from itune.utils.formats import duration

PREDICTIONS, EXPLANATIONS, CID = "predictions", "explanations", "CID"
"""Parts of an audit whose time grows with the data."""

EXPLANATIONS_COST, CID_COST = 1.6, 2.4
"""Cost of these parts in sums of unit gradients, a little above what is measured."""

CALLS = 3


class AuditPlan(NamedTuple):
    """Which parts of an audit use all rows.

    Attributes:
      minutes: Estimate of the minutes that each part takes on all rows.
      whole: Names of the parts that use all rows.
      drawn: Number of rows drawn from each split for the other parts.
    """

    minutes: dict[str, float]
    whole: tuple[str, ...]
    drawn: int

    def __str__(self) -> str:
        """One sentence: which parts use a sample, and how long all rows would take."""
        total = duration(sum(self.minutes.values()))
        if len(self.whole) == len(self.minutes):
            return f"the audit uses all rows, which takes about {total}, not counting compilation"
        parts = {
            PREDICTIONS: f"predictions use {self.drawn} rows of each split",
            EXPLANATIONS: f"explanations use {self.drawn} training rows",
            CID: "CID uses the sample alone",
        }
        sampled = ", ".join(words for part, words in parts.items() if part not in self.whole)
        return (
            f"rows are drawn at random: {sampled}; {option('whole', 'always')} uses all rows, in "
            f"about {total}"
        )


def make_plan(
    classifier: Classifier,
    params: Params,
    datasets: Mapping[str, Dataset],
    known: Dataset,
    config: AuditConfig,
) -> AuditPlan:
    """Time one chunk of each kind of work, and choose the parts that fit the available minutes.

    The first data set is the training data, among which explanations are searched; ``known`` holds
    its examples whose confound is annotated.
    """
    train = next(iter(datasets.values()))
    times = (
        _seconds_of_gradient(classifier, params, train, config.chunk),
        _seconds_of_forward(classifier, params, train),
    )
    gradient, forward = of_first(np.array(times)).tolist()
    seconds = {
        PREDICTIONS: forward * sum(data.lengths.sum() for data in datasets.values()),
        EXPLANATIONS: EXPLANATIONS_COST * gradient * train.lengths.sum(),
        CID: CID_COST * gradient * known.lengths.sum(),
    }
    minutes = {part: float(value) / 60 for part, value in seconds.items()}
    drawn = min(config.drawn, max(map(len, datasets.values())))
    return AuditPlan(minutes, tuple(_affordable(minutes, config)), drawn)


def _affordable(minutes: Mapping[str, float], config: AuditConfig) -> Iterator[str]:
    spent = 0.0
    for part, cost in minutes.items():
        fits = config.whole == AUTO and spent + cost <= config.minutes
        if fits or config.whole == ALWAYS:
            spent += cost
            yield part


def _seconds_of_gradient(
    classifier: Classifier, params: Params, data: Dataset, chunk: int
) -> float:
    """Seconds per token of a sum of unit gradients."""
    rows = _typical_rows(data, on_all(chunk))
    params, batch = lay_out(params), collate_shared(data, rows)
    weights = np.ones(len(rows), jnp.result_type(*jax.tree.leaves(params)))
    gradient_sum, *_ = compiled_sums(classifier.loss)
    return _seconds(lambda: gradient_sum(params, batch, weights)) / int(data.lengths[rows].sum())


def _seconds_of_forward(classifier: Classifier, params: Params, data: Dataset) -> float:
    """Seconds per token of a prediction."""
    rows = _typical_rows(data, on_all(CHUNK))
    return _seconds(lambda: predict(classifier, params, data, rows)) / data.lengths[rows].sum()


def _seconds(fun: Callable[[], Any]) -> float:
    """Seconds of the fastest of a few calls, after one that compiles."""
    jax.block_until_ready(fun())
    times = []
    for _ in range(CALLS):
        started = time.perf_counter()
        jax.block_until_ready(fun())
        times.append(time.perf_counter() - started)
    return min(times)


def _typical_rows(data: Dataset, size: int) -> np.ndarray:
    """Rows of about the mean length; some are repeated if there are fewer than ``size``."""
    lengths = data.lengths
    order = np.argsort(lengths, kind="stable")
    middle = int(np.searchsorted(lengths[order], lengths.mean()))
    start = max(min(middle - size // 2, len(order) - size), 0)
    return np.resize(order[start : start + size], size)
