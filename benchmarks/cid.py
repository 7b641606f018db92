"""The cost of CID: all training examples against all, beside an epoch of ordinary gradients."""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from harness import (
    Problem,
    make_parser,
    make_problem,
    ordinary_gradient,
    print_table,
    textlen,
    write_records,
)
from itune.cli import run_main
from itune.data import chunks_by_length, collate
from itune.metrics import make_cid
from itune.models import Params

CHUNK = 16

T = TypeVar("T")


def main(argv: list[str]) -> None:
    """Measure, print a table, and write the records."""
    parser = make_parser("cid.py", __doc__)
    parser.add_argument("--size", type=int, default=480, help="training examples (480)")
    options = parser.parse_args(argv)
    problem = make_problem("minilm", textlen(options.size))
    everyone = np.arange(len(problem.data))
    records = []
    epoch_seconds, _ = _second_time(_make_epoch(problem))
    for probes in (40, len(everyone)):
        cid = make_cid(problem.classifier.loss, problem.data, probes=everyone[:probes], chunk=CHUNK)
        seconds, result = _second_time(lambda cid=cid: cid(problem.params))
        records.append(
            {
                "model": "minilm",
                "examples": len(everyone),
                "probes": probes,
                "time_ratio": seconds / epoch_seconds,
                "seconds": seconds,
                "ordinary_seconds": epoch_seconds,
                **result.summary(),
            }
        )
    columns = ("examples", "probes", "time_ratio", "seconds", "ordinary_seconds", "cid")
    write_records(records, options.json)
    print_table(records, columns)


def _second_time(function: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds of a call after one that compiles, and its result."""
    function()
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result


def _make_epoch(problem: Problem) -> Callable[[], Params]:
    """Build a function that adds up ordinary gradients of all examples."""

    @jax.jit
    def add(params: Params, examples: dict[str, jax.Array], total: Params) -> Params:
        _, gradient = ordinary_gradient(problem)(params, examples)
        return jax.tree.map(jnp.add, total, gradient)

    def epoch() -> Params:
        total = jax.tree.map(jnp.zeros_like, problem.params)
        for chunk, _ in chunks_by_length(problem.data, np.arange(len(problem.data)), CHUNK):
            total = add(problem.params, collate(problem.data, chunk), total)
        return jax.block_until_ready(total)

    return epoch


if __name__ == "__main__":
    sys.exit(run_main(main))
