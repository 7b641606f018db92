"""The cost of discovery: sketching all rows, and finding and screening candidates of many."""

import resource
import sys
import time
import tracemalloc

import numpy as np
from scipy.sparse import csr_matrix

from harness import (
    make_epoch,
    make_parser,
    make_problem,
    print_table,
    second_time,
    textlen,
    write_records,
)
from itune.cli import run_main
from itune.corpora import ReviewsConfig, generate_reviews
from itune.discovery import Rows, find_candidates, screen, sketch_rows

CHUNK = 16
SIZE = 2048
REPEATS = 3


def main(argv: list[str]) -> None:
    """Measure, print a table, and write the records."""
    parser = make_parser("discovery.py", __doc__)
    parser.add_argument("--size", type=int, default=480, help="training examples sketched (480)")
    parser.add_argument("--rows", type=int, default=100_000, help="rows screened (100000)")
    parser.add_argument("--candidates", type=int, default=50_000, help="candidates (50000)")
    options = parser.parse_args(argv)
    records = [
        _finding(options.rows),  # first, while the process has had little memory
        _sketching(options.size),
        _screening(options.rows, options.candidates),
    ]
    write_records(records, options.json)
    print_table(records, ("what", "rows", "candidates", "seconds", "time_ratio", "gigabytes"))


def _sketching(size: int) -> dict[str, object]:
    """A pass over MiniLM's rows beside an epoch of ordinary gradients."""
    problem = make_problem("minilm", textlen(size))
    epoch = make_epoch(problem, CHUNK)
    sketch = sketch_rows(
        problem.classifier.loss, problem.params, problem.data, size=SIZE, chunk=CHUNK
    ).sketch
    # In turn, since the speed of a machine wavers.
    times = [
        [second_time(function)[0] for function in (epoch, lambda: sketch(problem.data))]
        for _ in range(REPEATS)
    ]
    epoch_seconds, seconds = (min(of) for of in zip(*times, strict=True))
    rows = sketch(problem.data)
    cosines = rows[: size // 2] @ rows[size // 2 :].T
    return {
        "what": "sketching",
        "rows": size,
        "seconds": seconds,
        "ordinary_seconds": epoch_seconds,
        "time_ratio": seconds / epoch_seconds,
        "mean_square": float(np.mean(np.sum(rows**2, axis=1))),  # about 1, and right in the mean
        "mean_cosine": float(cosines.mean()),
    }


def _finding(rows: int) -> dict[str, object]:
    """Words, phrases, places, characters and lengths of generated reviews; the process's memory."""
    reviews = generate_reviews(ReviewsConfig(rows=rows))["train"]
    texts = Rows({"text": [review.review for review in reviews]}, {})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()  # of one thread
    found = find_candidates(texts, 8)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "what": "finding candidates",
        "rows": rows,
        "candidates": len(found.features),
        "entries": found.rows.nnz,
        "seconds": seconds,
        "gigabytes": (peak - before) / 2**20,
    }


def _screening(rows: int, candidates: int) -> dict[str, object]:
    """Made-up sketches, and candidates as frequent as words: the n-th in one row of n, or 20."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((rows, SIZE), np.float32) / SIZE**0.5
    label = rng.integers(0, 2, rows)
    sizes = np.maximum(rows // np.arange(2, candidates + 2), 20)
    places = np.concatenate([np.sort(rng.integers(0, rows, size)) for size in sizes])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    ones = np.ones(len(places), np.float32)
    having = csr_matrix((ones, places.astype(np.int32), starts), (candidates, rows))
    tracemalloc.start()
    started = time.perf_counter()
    found = screen(values, label, having, rng)
    seconds = time.perf_counter() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {
        "what": "screening",
        "rows": rows,
        "candidates": candidates,
        "entries": len(places),
        "seconds": seconds,
        "gigabytes": peak / 2**30,
        "z_mean": float(found.z.mean()),
        "z_deviation": float(found.z.std()),
    }


if __name__ == "__main__":
    sys.exit(run_main(main))
