"""What CID costs: all training examples against all, beside an epoch of ordinary gradients.

``python benchmarks/cid.py --json FILE``. Both go through the same examples in the same chunks.
"""

import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from harness import environment, make_problem, ordinary_gradient, print_table
from itune.cli import Parser, run_main
from itune.corpora import TextLenConfig
from itune.corpora.tasks import DataConfig
from itune.data.dataset import chunks_by_length, collate
from itune.metrics import make_cid
from itune.utils.json import write_json

CHUNK = 16


def main(argv: list[str]) -> None:
    """Measures, prints a table, and writes the record."""
    parser = Parser(prog="cid.py", description=__doc__.split("\n\n")[0])
    parser.add_argument("--size", type=int, default=480, help="training examples (480)")
    parser.add_argument("--json", type=Path, help="where to write the records")
    options = parser.parse_args(argv)
    recipe = TextLenConfig(train_size=options.size, dev_size=2, test_size=2)
    problem = make_problem("minilm", DataConfig(textlen=recipe))
    everyone = np.arange(len(problem.data))
    records = []
    epoch_seconds, _ = _second_time(_make_epoch(problem))
    for probes in (40, len(everyone)):
        cid = make_cid(problem.classifier.loss, problem.data, probes=everyone[:probes], chunk=CHUNK)
        seconds, found = _second_time(lambda cid=cid: cid(problem.params))
        records.append(
            {
                "model": "minilm",
                "examples": len(everyone),
                "probes": probes,
                "time_ratio": seconds / epoch_seconds,
                "seconds": seconds,
                "ordinary_seconds": epoch_seconds,
                **found.summary(),
                **environment(),
            }
        )
    if options.json:
        write_json(options.json, records)
    print_table(records, ("examples", "probes", "time_ratio", "seconds", "ordinary_seconds", "cid"))


def _second_time(function):
    """Seconds of a call after one that compiles, and its result."""
    function()
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result


def _make_epoch(problem):
    """A function that adds up ordinary gradients of all examples."""

    @jax.jit
    def add(params, examples, total):
        _, gradient = ordinary_gradient(problem)(params, examples)
        return jax.tree.map(jnp.add, total, gradient)

    def epoch():
        total = jax.tree.map(jnp.zeros_like, problem.params)
        for chunk, _ in chunks_by_length(problem.data, np.arange(len(problem.data)), CHUNK):
            total = add(problem.params, collate(problem.data, chunk), total)
        return jax.block_until_ready(total)

    return epoch


if __name__ == "__main__":
    sys.exit(run_main(main))
