"""Which share of the time of label steps the devices have nothing to do.

A device has nothing to do from when it has finished all that it was given until it is given more.
Measured are a loop that waits for the metrics of each update, as training did before, and one that
runs ahead as it does now, in turn. Where the device is found idle when a call is made, it counts as
idle since it was last seen at work, which is more than the truth by the time between two looks.
"""

import sys
import time
from collections import deque
from dataclasses import replace
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp

from harness import (
    MINILM,
    SHAPES,
    Problem,
    Record,
    make_parser,
    make_problem,
    print_table,
    textlen,
    write_records,
)
from itune.cli import run_main
from itune.data import Dataset, choose_lengths, collate, tokenize_table
from itune.methods import METHODS, LabelConfig, Work
from itune.models import load_config, load_tokenizer, make_model, resolve_encoder
from itune.tables import task_tables
from itune.training import make_classifier
from itune.utils import jit

AHEAD = 32
"""Pieces of work that training hands over before the first of them need be finished."""


def main(argv: list[str]) -> None:
    """Measure each model, print a table, and write the records."""
    parser = make_parser("loop.py", __doc__)
    parser.add_argument("--models", nargs="+", default=["tiny", "minilm"], help="tiny, minilm")
    parser.add_argument("--steps", type=int, default=12, help="label steps of a measurement (12)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (5)")
    options = parser.parse_args(argv)
    records = []
    for model in options.models:
        records += measure_model(model, options.steps, options.rounds)
    write_records(records, options.json)
    print_table(records, ("model", "loop", "seconds", "idle"))


def measure_model(model: str, label_steps: int, rounds: int) -> list[Record]:
    """Measure label steps of a model, by each loop in turn; return medians."""
    problem = make_tiny() if model == "tiny" else make_problem(model, textlen(1500))
    label, train = LabelConfig(), problem.data
    lengths = choose_lengths(
        train.lengths,
        int(train.lengths.max()),
        batch=64,
        chunk=label.chunk,
        epochs=label.epochs,
        width=problem.params["classifier"]["kernel"].shape[0],
    )
    data = train.padded_to(lengths)
    method = METHODS["finetuning"].factory(problem.classifier, label, data, 2021)
    steps = {kind: jit(step, fuses=False, donate_argnums=0) for kind, step in method.steps.items()}
    plan = [work for work in method.plan() if work.kind in steps]
    work = plan[: label_steps * (label.batch // label.chunk + 1)]
    initial = jit(method.init)

    def batch_of(piece: Work) -> dict[str, Any]:
        examples = {} if piece.examples is None else {"examples": collate(data, piece.examples)}
        return dict(piece.arrays) | examples

    def run(ahead: int) -> tuple[float, float]:
        """Return the seconds of all work, and those in which the device had nothing to do."""
        state = jax.block_until_ready(initial(jax.tree.map(jnp.copy, problem.params)))
        under_way: deque[dict[str, jax.Array]] = deque()
        started = at_work = time.perf_counter()
        idle = 0.0
        for piece in work:
            while len(under_way) >= ahead:
                is_at_work = not state.label.count.is_ready()
                read(under_way.popleft())
                at_work = time.perf_counter() if is_at_work else at_work
            batch = batch_of(piece)
            is_idle = state.label.count.is_ready()
            state, info = steps[piece.kind](state, batch)
            now = time.perf_counter()
            idle += now - at_work if is_idle else 0
            at_work = now
            under_way.append(info)
        jax.block_until_ready(state)
        return time.perf_counter() - started, idle

    found: dict[str, list[tuple[float, float]]] = {"waits": [], "ahead": []}
    for _ in range(rounds + 1):
        found["waits"].append(run(1))
        found["ahead"].append(run(AHEAD))
    return [
        {
            "model": model,
            "loop": name,
            "seconds": median(seconds for seconds, _ in runs[1:]) / label_steps,
            "idle": median(idle / seconds for seconds, idle in runs[1:]),
        }
        for name, runs in found.items()  # the first compile
    ]


def read(info: dict[str, jax.Array]) -> None:
    """Read what an update logs."""
    for value in info.values():
        float(value)


def make_tiny() -> Problem:
    """Make a BERT of one layer of width 64, with random weights."""
    shape = load_config(SHAPES / "bert-base")
    config = replace(
        shape, num_layers=1, hidden_size=64, num_heads=2, intermediate_size=128, vocab_size=2000
    )
    model, ids = make_model(config), jnp.zeros(4, jnp.int32)
    params = jax.jit(model.init)(jax.random.key(0), ids, ids)["params"]
    tokenizer = load_tokenizer(resolve_encoder(MINILM))
    train = tokenize_table(task_tables(textlen(1500)).train, tokenizer, max_length=64)
    ids = [row % config.vocab_size for row in train.input_ids]
    return Problem(make_classifier(config), params, Dataset(ids, *train[1:]))


if __name__ == "__main__":
    sys.exit(run_main(main))
