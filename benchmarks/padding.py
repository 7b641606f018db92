"""How many tokens are computed for a real one, in how many shapes, and what that takes.

Each way is lengths to pad to, and rows that a label step computes at once: multiples of 8 and 16
rows; and lengths chosen by the data, and 8 rows. With ``--seconds KIND …`` also label steps, tuples
or pools by MiniLM on TextLen, the ways in turn, again and again, so that what else the machine does
meets each alike.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from harness import MINILM, Record, make_parser, make_problem, print_table, textlen, write_records
from itune.cli import run_main
from itune.corpora import DataConfig
from itune.data import Dataset, choose_lengths, collate, tokenize_table
from itune.methods import METHODS, Classifier, InfluenceConfig, LabelConfig, Work
from itune.models import load_config, load_tokenizer, resolve_encoder
from itune.tables import TableConfig, read_tables, task_tables
from itune.training import make_classifier
from itune.utils import jit

ROWS = {"multiples of 8": 16, "chosen": 8}
"""The ways to pad, each with the rows of label steps that are computed at once."""

KINDS = {"drawn": ("label", "tuples"), "pooled": ("pool",)}


class Steps(NamedTuple):
    """Pieces of work with the data that they are of, and their functions."""

    work: list[Work]
    data: Dataset
    steps: Mapping[str, Any]


def main(argv: list[str]) -> None:
    """Count, print a table, and write the records; measure if asked."""
    parser = make_parser("padding.py", __doc__)
    parser.add_argument("--data", default="embedded", help="where TextLen comes from (embedded)")
    parser.add_argument(
        "--tables",
        nargs="+",
        default=[],
        metavar="FOLDER:TEXT,LABEL,CONFOUND",
        help="other tables, with the names of their columns",
    )
    every = [kind for kinds in KINDS.values() for kind in kinds]
    parser.add_argument(
        "--seconds", nargs="+", choices=every, default=[], help="work to measure as well"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (5)")
    options = parser.parse_args(argv)
    tables = {
        "textlen": task_tables(DataConfig(source=options.data)),
        "msgs": task_tables(DataConfig(task="msgs")),
    }
    for table in options.tables:
        folder, columns = table.split(":")
        text, label, confound = columns.split(",")
        config = TableConfig(folder, text=text, label=label, confound=confound)
        tables[Path(folder).name] = read_tables(config)
    tokenizer = load_tokenizer(resolve_encoder(MINILM))
    records = []
    for name, table in tables.items():
        train = tokenize_table(table.train, tokenizer, max_length=64)
        records += [record for way in ROWS for record in count(name, train, way)]
    print_table(records, ("data", "padding", "work", "computed", "shapes"))
    if options.seconds:
        measured = measure(options.seconds, options.rounds)
        print_table(measured, ("padding", "work", "seconds", "of_the_first"))
        records += measured
    write_records(records, options.json)


def padded(train: Dataset, way: str) -> Dataset:
    """Return training data that is padded in one of the ways."""
    if way == "multiples of 8":
        return train.padded_to(8)
    label = LabelConfig()
    longest = int(train.lengths.max())
    lengths = choose_lengths(
        train.lengths,
        longest,
        batch=label.batch,
        chunk=ROWS[way],
        epochs=label.epochs,
        width=load_config(resolve_encoder(MINILM)).hidden_size,
    )
    return train.padded_to(lengths)


def count(name: str, train: Dataset, way: str) -> list[Record]:
    """Count the tokens of a run's plan, of each kind of work."""
    classifier = make_classifier(load_config(resolve_encoder(MINILM)))
    data = padded(train, way)
    records = []
    for partners, kinds in KINDS.items():
        label, rounds = LabelConfig(chunk=ROWS[way]), InfluenceConfig(partners=partners)
        plan = METHODS["influence_tuning"].factory(classifier, label, rounds, data, 2021).plan()
        for kind in kinds:
            work = [w for w in plan if w.kind == kind]
            shapes = [shape_of(w, data) for w in work]
            real = sum(_real_tokens(w, data) for w in work)
            records.append(
                {
                    "data": name,
                    "padding": way,
                    "work": kind,
                    "computed": sum(map(np.prod, shapes)) / real,
                    "shapes": len(set(shapes)),
                }
            )
    return records


def shape_of(work: Work, data: Dataset) -> tuple[int, ...]:
    """Return the shape of a piece's tokens."""
    assert work.examples is not None
    return collate(data, work.examples)["input_ids"].shape


def _real_tokens(work: Work, data: Dataset) -> int:
    lengths, is_real = data.lengths[work.examples], np.asarray(work.arrays["is_real"])
    rows = lengths.reshape(*is_real.shape, -1).sum(axis=-1)  # of a tuple, its examples
    return int(rows[is_real].sum())


def measure(which: Sequence[str], rounds: int) -> list[Record]:
    """Measure four label steps, and 16 tuples and the pools of an update, in each way."""
    problem = make_problem("minilm", textlen(1500))
    ways = {way: _pieces(problem.classifier, padded(problem.data, way), way) for way in ROWS}
    state = {}
    seconds: dict[tuple[str, str], list[float]] = {}
    for turn in range(rounds + 1):  # the first compiles
        for way, kinds in ways.items():
            for kind in which:
                work, data, steps = kinds[kind]
                state = steps["init"](jax.tree.map(jnp.copy, problem.params))
                started = time.perf_counter()
                for w in work:
                    assert w.examples is not None
                    batch = dict(w.arrays) | {"examples": collate(data, w.examples)}
                    state, _ = steps[w.kind](state, batch)
                jax.block_until_ready(state)
                if turn:
                    seconds.setdefault((kind, way), []).append(time.perf_counter() - started)
    first = next(iter(ROWS))
    return [
        {
            "padding": way,
            "work": kind,
            "seconds": median(seconds[kind, way]),
            "of_the_first": median(
                own / other
                for own, other in zip(seconds[kind, way], seconds[kind, first], strict=True)
            ),
        }
        for kind in which
        for way in ROWS
    ]


def _pieces(classifier: Classifier, data: Dataset, way: str) -> dict[str, Steps]:
    """Return the same examples of each kind of work: every 8th chunk of a round's tuples."""
    pieces = {}
    for partners, kinds in KINDS.items():
        label, rounds = LabelConfig(chunk=ROWS[way]), InfluenceConfig(partners=partners)
        method = METHODS["influence_tuning"].factory(classifier, label, rounds, data, 2021)
        steps = {
            kind: jit(step, fuses=kind in ("tuples", "pool"), donate_argnums=0)
            for kind, step in method.steps.items()
        }
        plan = method.plan()
        for kind in kinds:
            work = [w for w in plan if w.kind == kind]
            if kind == "label":
                work = work[: 4 * label.batch // label.chunk]
            elif kind == "tuples":
                work = work[: rounds.batch // rounds.chunk : 8]
            else:
                work = work[:2]
            pieces[kind] = Steps(work, data, steps | {"init": jit(method.init)})
    return pieces


if __name__ == "__main__":
    sys.exit(run_main(main))
