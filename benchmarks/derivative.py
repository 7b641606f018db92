"""The cost of the exact derivative of the influence loss, by each route.

Each answer is checked; then time and memory are printed as ratios to an ordinary gradient of the
same examples, in the same process, beside what counting operations predicts.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from harness import (
    MODELS,
    Problem,
    Record,
    Timing,
    TooLarge,
    environment,
    make_parser,
    make_problem,
    measure,
    ordinary_gradient,
    print_table,
    relative_error,
    textlen,
)
from itune.cli import run_main
from itune.data import collate, draw_partners, draw_pools
from itune.influence import PAIR_FREE, Pool, Tuples, value_and_grad
from itune.models import Params
from itune.utils import jit, write_json

Timed: TypeAlias = Callable[..., Timing]
Check: TypeAlias = Callable[[Problem, Timing, Pool], float]

ROUTES = ("hvp", "ghost", "hvp_pairs", "autodiff")
"""Routes that form pairs; the others are checked against the first, which shares no inner product
with ``ghost``."""

USUAL = ("minilm", "bert-base")
"""Models that are measured where none is named."""

TOLERANCE = 1e-3
"""Largest accepted error of a gradient, relative to its norm, in float32."""

MICROBATCHES = (1, 2, 4, 8)
"""Numbers of tuples at once, out of eight."""

PIECES = (None, 16, 8, 4)
"""Examples of a pool of 32 at once; None for all."""

MOST_BYTES = 16 * 2**30
"""Largest memory in bytes; a route that needs more is recorded without a time."""


def predicted_ratio(route: str, k: int, *, in_pieces: bool = False) -> float | None:
    """Predict the time over that of an ordinary gradient, by counting forward passes (F).

    An ordinary gradient costs 3 F an example, ghost 6 F, pair-free 12 F, and 17 F in pieces; a
    Hessian-vector product 6 F, beside the gradients: 1 + 2 k products in all, or 4 a pair.
    """
    examples = 1 + 2 * k
    return {
        "ghost": 2.0,
        PAIR_FREE: 17 / 3 if in_pieces else 4.0,
        "hvp": (6 + 3 * 2) / 3,
        "hvp_pairs": 2 * k * (4 * 6 + 2 * 2 * 3) / (3 * examples),
    }.get(route)


def main(argv: list[str]) -> None:
    """Measure, print a table, and write the records."""
    parser = make_parser("derivative.py", __doc__)
    parser.add_argument("--quick", action="store_true", help="k = 5, no microbatches, one pool")
    help_ = f"which (minilm bert-base; with --quick minilm), of {', '.join(MODELS)}"
    parser.add_argument("--models", nargs="+", choices=MODELS, metavar="MODEL", help=help_)
    help_ = f"routes of tuples ({' '.join(ROUTES)}); the others are checked against the first"
    parser.add_argument("--routes", nargs="+", choices=ROUTES, default=ROUTES, help=help_)
    parser.add_argument("--k", nargs="+", type=int, default=(1, 3, 5, 10), help="which (1 3 5 10)")
    help_ = "timed runs of each, fewer of slow ones (7)"
    parser.add_argument("--repeats", type=int, default=7, help=help_)
    help_ = "measure processor time of all threads, for a process on one core that others use too"
    parser.add_argument("--cpu_time", action="store_true", help=help_)
    help_ = "check pools in float64, where float32 leaves too much in doubt"
    parser.add_argument("--float64_check", action="store_true", help=help_)
    help_ = "layers of the model, where its own need more memory or time than there is"
    parser.add_argument("--layers", type=int, help=help_)
    options = parser.parse_args(argv)
    timed = partial(
        measure,
        repeats=options.repeats,
        clock=time.process_time if options.cpu_time else time.perf_counter,
    )
    records = []

    def add(model_name: str, record: Record) -> None:
        if options.layers is not None:
            record = {"layers": options.layers, **record}
        clock = "processor" if options.cpu_time else "wall"
        record = {"model": model_name, **record, "clock": clock, **environment()}
        records.append(record)
        print(json.dumps(record), file=sys.stderr, flush=True)
        if options.json:
            write_json(options.json, records)

    for model_name in options.models or USUAL[: 1 if options.quick else 2]:
        problem = make_problem(model_name, textlen(400), layers=options.layers)
        for k in (5,) if options.quick else options.k:
            for record in of_tuple(problem, k, timed, options.routes):
                add(model_name, record)
        if not options.quick:
            for record in of_microbatches(problem, timed):
                add(model_name, record)
        check = _float64_error if options.float64_check else _pool_error
        labels, pieces = (1, PIECES[:1]) if options.quick else (2, PIECES)
        for record in of_pool(problem, timed, check, labels=labels, pieces=pieces):
            add(model_name, record)
    columns = ("model", "route", "k", "microbatch", "examples", "time_ratio", "predicted")
    print_table(records, (*columns, "memory_ratio", "relative_error"))


def of_tuple(
    problem: Problem, k: int, timed: Timed, routes: Sequence[str] = ROUTES
) -> Iterator[Record]:
    """Yield a record for each route, of a tuple of 1 + 2 k examples."""
    about = [{"route": route, "k": k, "examples": 1 + 2 * k} for route in routes]
    return _timed(problem, draw_tuples(problem, k, 1), about, timed)


def of_microbatches(problem: Problem, timed: Timed, *, k: int = 5) -> Iterator[Record]:
    """Yield a record of the ghost route for each microbatch, of eight tuples in one batch."""
    count = max(MICROBATCHES)
    about = [
        {
            "route": "ghost",
            "k": k,
            "tuples": count,
            "microbatch": microbatch,
            "examples": count * (1 + 2 * k),
        }
        for microbatch in MICROBATCHES
    ]
    return _timed(problem, draw_tuples(problem, k, count), about, timed)


def _timed(problem: Problem, tuples: Tuples, about: list[Record], timed: Timed) -> Iterator[Record]:
    """Complete each record of ``about``; the gradients are checked against the first."""
    ordinary = _ordinary(problem, tuples, timed)
    reference = None
    for record in about:
        route, microbatch = record["route"], record.get("microbatch")
        fun = value_and_grad(problem.classifier.loss, route=route, microbatch=microbatch)
        try:
            timing = timed(fun, problem.params, tuples, most_bytes=MOST_BYTES)
        except TooLarge as error:
            yield record | {"memory_ratio": error.args[0] / ordinary.bytes, "note": "not run"}
            continue
        reference = timing.output[1] if reference is None else reference
        error = _checked(route, timing.output[1], reference)
        yield _record(record, timing, ordinary, error, tuples.probe["input_ids"].shape[-1])


def of_pool(
    problem: Problem,
    timed: Timed,
    check: Check,
    *,
    count: int = 64,
    labels: int = 2,
    pieces: Sequence[int | None] = PIECES,
) -> Iterator[Record]:
    """Yield records for the pool of each label, together a stratified batch of ``count``."""
    for pool in pools_of(problem, count)[-labels:]:
        flat = jax.tree.map(lambda x: x.reshape((-1,) + x.shape[2:]), pool.examples)
        ordinary = timed(ordinary_gradient(problem), problem.params, flat)
        for microbatch in pieces:
            fun = value_and_grad(problem.classifier.loss, route=PAIR_FREE, microbatch=microbatch)
            timing = timed(fun, problem.params, pool)
            record = {"route": PAIR_FREE, "k": None, "examples": pool.is_real.size}
            record |= {} if microbatch is None else {"microbatch": microbatch}
            error = check(problem, timing, pool)
            yield _record(record, timing, ordinary, error, pool.examples["input_ids"].shape[-1])


def _record(
    about: Record, timing: Timing, ordinary: Timing, error: float, positions: int
) -> Record:
    return about | {
        "time_ratio": timing.seconds / ordinary.seconds,
        "predicted": predicted_ratio(
            about["route"], about["k"] or 0, in_pieces="microbatch" in about
        ),
        "memory_ratio": timing.bytes / ordinary.bytes,
        "relative_error": error,
        "seconds": timing.seconds,
        "compile_seconds": timing.compile_seconds,
        "ordinary_seconds": ordinary.seconds,
        "positions": positions,
    }


def _checked(
    route: str, gradient: Params, reference: Params, *, tolerance: float = TOLERANCE
) -> float:
    error = relative_error(gradient, reference)
    if not error < tolerance:
        raise AssertionError(f"{route}: gradient is off by {error:.1e} of its norm")
    return error


def _ordinary(problem: Problem, tuples: Tuples, timed: Timed) -> Timing:
    """Time the ordinary gradient of all examples of the tuples."""
    examples = jax.tree.map(
        lambda probe, partners: jnp.concatenate([probe, jnp.concatenate(partners)]),
        tuples.probe,
        tuples.partners,
    )
    return timed(ordinary_gradient(problem), problem.params, examples)


def draw_tuples(problem: Problem, k: int, count: int) -> Tuples:
    """Draw tuples of the data."""
    data, rng = problem.data, np.random.default_rng(0)
    probes = np.flatnonzero(data.label == 1)[:count]
    partners, weights = draw_partners(
        rng, probes, k, data.label, data.confound, np.arange(len(data))
    )
    batch = collate(data, np.column_stack([probes, partners]))
    return Tuples(
        {name: jnp.asarray(value[:, 0]) for name, value in batch.items()},
        {name: jnp.asarray(value[:, 1:]) for name, value in batch.items()},
        jnp.asarray(weights),
    )


def pools_of(problem: Problem, count: int) -> list[Pool]:
    """Draw a stratified batch of the data, as a pool for each label."""
    data, rng = problem.data, np.random.default_rng(0)
    drawn = draw_pools(rng, count, data.label, data.confound, np.arange(len(data)))
    return [
        Pool(jax.tree.map(jnp.asarray, collate(data, indices)), jnp.asarray(is_real))
        for indices, is_real in drawn
    ]


def _pool_error(problem: Problem, timing: Timing, pool: Pool) -> float:
    """Compare the pair-free gradient with route hvp, on two examples of each row."""
    few = jax.tree.map(lambda x: x[:, :2], pool)
    by_pairs = jit(value_and_grad(problem.classifier.loss, route="hvp"))
    reference = by_pairs(problem.params, few)[1]
    masked = pool._replace(is_real=pool.is_real.at[:, 2:].set(False))
    return _checked(PAIR_FREE, timing.function(problem.params, masked)[1], reference)


def _float64_error(problem: Problem, timing: Timing, pool: Pool) -> float:
    """Compare with route hvp in float64, on two examples of each row cut to eight positions.

    What is timed shares its code with that, not its numbers: what float32 rounds is not checked.
    """
    del timing
    with jax.enable_x64():
        few = jax.tree.map(lambda x: x[:, :2, :8] if x.ndim > 2 else x[:, :2], pool)
        params = jax.tree.map(lambda x: x.astype(jnp.float64), problem.params)
        loss = problem.classifier.loss
        by_pairs, pair_free = (
            jit(value_and_grad(loss, route=route))(params, few)[1] for route in ("hvp", PAIR_FREE)
        )
        return _checked(PAIR_FREE, pair_free, by_pairs, tolerance=1e-8)


if __name__ == "__main__":
    sys.exit(run_main(main))
