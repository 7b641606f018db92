"""What an audit takes whole, and what a sample stands for: decided up front by what it costs."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.auditing.config import ALWAYS, AUTO, AuditConfig
from itune.auditing.predictions import CHUNK, make_predict
from itune.data.dataset import Dataset, collate
from itune.influence.differences import unit_gradient_sum
from itune.methods.base import Classifier
from itune.utils.compiling import jit
from itune.utils.formats import duration

PREDICTIONS, SENTENCES, EVERYONE = "predictions", "sentences", "everyone"
"""Parts of an audit that take a time that grows with the data."""

SENTENCES_COST, EVERYONE_COST = 1.6, 2.4
"""Sums of unit gradients that the parts cost, a little above what is measured."""

CALLS = 3


class Plan(NamedTuple):
    """What is taken whole.

    Attributes:
      minutes: estimate of what each part takes, taken whole.
      whole: the parts that are.
      drawn: rows that stand for all others elsewhere.
    """

    minutes: dict[str, float]
    whole: tuple[str, ...]
    drawn: int

    def __str__(self) -> str:
        """One sentence on what will be done, and what everything would take."""
        total = duration(sum(self.minutes.values()))
        if len(self.whole) == len(self.minutes):
            return f"all rows are looked at, which takes {total} or so, beside compiling"
        parts = {
            PREDICTIONS: f"predictions of {self.drawn} rows of each split",
            SENTENCES: f"sentences out of {self.drawn}",
            EVERYONE: "CID of a sample only",
        }
        drawn = ", ".join(words for part, words in parts.items() if part not in self.whole)
        return f"drawn at random: {drawn}; --whole always takes all rows, and {total} or so"


def make_plan(
    classifier: Classifier,
    params: Any,
    datasets: Mapping[str, Dataset],
    known: Dataset,
    config: AuditConfig,
) -> Plan:
    """Measures a chunk of each kind of work, and takes whole what there is time for.

    Args:
      classifier: the model.
      params: its parameters.
      datasets: those to predict; sentences are looked for in the first.
      known: the training data whose confound is known.
      config: how much time there is.
    """
    train = next(iter(datasets.values()))
    gradient = _seconds_of_gradient(classifier, params, train, config.chunk)
    forward = _seconds_of_forward(classifier, params, train)
    seconds = {
        PREDICTIONS: forward * sum(data.lengths.sum() for data in datasets.values()),
        SENTENCES: SENTENCES_COST * gradient * train.lengths.sum(),
        EVERYONE: EVERYONE_COST * gradient * known.lengths.sum(),
    }
    minutes = {part: float(value) / 60 for part, value in seconds.items()}
    drawn = min(config.drawn, max(map(len, datasets.values())))
    return Plan(minutes, tuple(_affordable(minutes, config)), drawn)


def _affordable(minutes: Mapping[str, float], config: AuditConfig):
    spent = 0.0
    for part, cost in minutes.items():
        fits = config.whole == AUTO and spent + cost <= config.minutes
        if fits or config.whole == ALWAYS:
            spent += cost
            yield part


def _seconds_of_gradient(classifier, params, data: Dataset, chunk: int) -> float:
    """Seconds a token of a sum of unit gradients."""
    batch, pieces = _typical(data, chunk)
    weights = jnp.ones(chunk, jnp.result_type(*jax.tree.leaves(params)))
    fun = jit(unit_gradient_sum(classifier.loss))
    return _seconds(lambda: fun(params, batch, weights)) / pieces


def _seconds_of_forward(classifier, params, data: Dataset) -> float:
    """Seconds a token of a prediction."""
    rows = _typical_rows(data, CHUNK)
    predict = make_predict(classifier)
    return _seconds(lambda: predict(params, data, rows)) / data.lengths[rows].sum()


def _seconds(fun) -> float:
    """Of the fastest of a few calls, after one that compiles."""
    jax.block_until_ready(fun())
    times = []
    for _ in range(CALLS):
        started = time.perf_counter()
        jax.block_until_ready(fun())
        times.append(time.perf_counter() - started)
    return min(times)


def _typical(data: Dataset, size: int) -> tuple[dict[str, np.ndarray], int]:
    rows = _typical_rows(data, size)
    return collate(data, rows), int(data.lengths[rows].sum())


def _typical_rows(data: Dataset, size: int) -> np.ndarray:
    """Rows of about the mean length; some twice where there are few."""
    lengths = data.lengths
    order = np.argsort(lengths, kind="stable")
    middle = int(np.searchsorted(lengths[order], lengths.mean()))
    start = max(min(middle - size // 2, len(order) - size), 0)
    return np.resize(order[start : start + size], size)
