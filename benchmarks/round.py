"""The cost of one influence round of the paper's TextLen protocol, end to end.

The first round of the plan with drawn and with pooled partners, and a few label steps for scale.
"""

import resource
import sys
import time
from typing import Any

import jax
import jax.numpy as jnp

from harness import (
    MODELS,
    Problem,
    Record,
    batch_of,
    make_parser,
    make_problem,
    print_table,
    write_records,
)
from itune.cli import run_main
from itune.corpora import DataConfig
from itune.data import Dataset, collate
from itune.methods import METHODS, InfluenceConfig, LabelConfig, Work
from itune.utils import jit

PARTNERS = ("pooled", "drawn")


def main(argv: list[str]) -> None:
    """Measure, print a table, and write the records."""
    parser = make_parser("round.py", __doc__)
    parser.add_argument("--data", default="embedded", help="where TextLen comes from (embedded)")
    help_ = f"which (minilm), of {', '.join(MODELS)}"
    parser.add_argument("--model", choices=MODELS, default=MODELS[0], metavar="MODEL", help=help_)
    parser.add_argument(
        "--partners", nargs="+", choices=PARTNERS, default=PARTNERS, help="which (pooled drawn)"
    )
    parser.add_argument("--pool_chunk", type=int, help="examples of a pool at once (all)")
    parser.add_argument("--updates", type=int, help="leave the round after so many (all)")
    parser.add_argument("--label_steps", type=int, default=4, help="how many (4)")
    options = parser.parse_args(argv)
    problem = make_problem(options.model, DataConfig(source=options.data))
    records = []
    for partners in options.partners:
        config = InfluenceConfig(partners=partners, pool_chunk=options.pool_chunk)
        record = {"model": options.model, "partners": partners, "route": config.exact_route}
        record |= {"pool_chunk": options.pool_chunk} if options.pool_chunk else {}
        measured = measure_round(problem, config, options.updates, options.label_steps)
        records.append(record | measured)
    columns = ("model", "partners", "route", "round_seconds", "updates", "compile_seconds")
    write_records(records, options.json)
    print_table(records, (*columns, "label_step_seconds", "peak_gib"))


def measure_round(
    problem: Problem, config: InfluenceConfig, updates: int | None, label_steps: int
) -> Record:
    """Measure the first round and label steps: seconds with compiling and without, and memory.

    The peak of memory is the process's so far.
    """
    data = problem.data
    factory = METHODS["influence_tuning"].factory
    method = factory(problem.classifier, LabelConfig(), config, data, 2021)
    plan = method.plan()
    kinds = [work.kind for work in plan]
    start, end = kinds.index("cid"), kinds.index("end_round")
    round_work = plan[start + 1 : end]
    updated = [i for i, work in enumerate(round_work) if work.kind == "influence_update"]
    round_work = [*round_work[: updated[:updates][-1] + 1], plan[end]]
    label_work = [work for work in plan[end:] if work.kind in ("label", "label_update")]
    ends = [i for i, work in enumerate(label_work) if work.kind == "label_update"]
    label_work = label_work[: ends[label_steps - 1] + 1]
    steps = {kind: jit(step, donate_argnums=0) for kind, step in method.steps.items()}

    def initial_state() -> Any:
        return method.init(jax.tree.map(jnp.copy, problem.params))  # steps donate their state

    def do(work: list[Work]) -> tuple[float, float]:
        """Do some work, first one piece of each shape; return the seconds of that and of all."""
        first = {(w.kind, *_shape(w, data)): w for w in work}
        state, started = initial_state(), time.perf_counter()
        for w in first.values():
            state = jax.block_until_ready(steps[w.kind](state, batch_of(w, data))[0])
        warm = time.perf_counter() - started
        state = initial_state()
        started = time.perf_counter()
        for w in work:
            state, _ = steps[w.kind](state, batch_of(w, data))
        jax.block_until_ready(state)
        return warm, time.perf_counter() - started

    compile_seconds, seconds = do(round_work)
    _, label_seconds = do(label_work)
    return {
        "round_seconds": seconds,
        "updates": sum(work.kind == "influence_update" for work in round_work),
        "shapes": len({_shape(work, data) for work in round_work}),
        "compile_seconds": compile_seconds,
        "label_step_seconds": label_seconds / label_steps,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def _shape(work: Work, data: Dataset) -> tuple[int, ...]:
    return () if work.examples is None else collate(data, work.examples)["input_ids"].shape


if __name__ == "__main__":
    sys.exit(run_main(main))
