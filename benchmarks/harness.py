"""Shared by the benchmarks: models with real inputs, times and memory, and the environment."""

import dataclasses
import datetime
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np

from itune.cli import Parser
from itune.config import from_dict
from itune.corpora import DataConfig, TextLenConfig
from itune.data import Dataset, chunks_by_length, collate, tokenize_table
from itune.influence import cross_entropy
from itune.methods import Classifier, Work
from itune.models import (
    Params,
    load_config,
    load_encoder,
    load_tokenizer,
    make_model,
    resolve_encoder,
)
from itune.tables import task_tables
from itune.training import RunConfig, commit, machine, make_classifier
from itune.utils import align, jit, write_json

T = TypeVar("T")

Record = dict[str, Any]
"""What was measured, by name; ready for JSON."""

MINILM = "all-MiniLM-L6-v2"
SHAPES = Path(__file__).with_name("shapes")
"""Folders of public models by name, each with what its ``config.json`` has of sizes."""

MODELS = ("minilm", *sorted(folder.name for folder in SHAPES.iterdir()))


class Problem(NamedTuple):
    """A classifier without dropout, its parameters, and tokenised training data."""

    classifier: Classifier
    params: Params
    data: Dataset


class Timing(NamedTuple):
    """A compiled function, its output, its least seconds, its bytes, and its compile seconds."""

    function: Callable[..., Any]
    output: Any
    seconds: float
    bytes: int
    compile_seconds: float


class TooLarge(Exception):
    """Raised for a function that needs more memory than is allowed; its argument is the bytes."""


def make_problem(model_name: str, data: DataConfig, *, layers: int | None = None) -> Problem:
    """Make a classifier: MiniLM with its weights, or another of random ones; and TextLen.

    The random kernels are three times as large as BERT starts with (standard deviation 0.06), more
    in narrower models. As it starts, all sentences come out alike: influences are 0.98, their
    differences 0.001, and what is left of the derivative in float32 is not enough to check a route
    by. Tokens are MiniLM's; those past the end of a smaller vocabulary begin anew. ``layers``
    replaces the number of layers of the shape.
    """
    source = resolve_encoder(MINILM)
    train = tokenize_table(task_tables(data).train, load_tokenizer(source), max_length=64)
    if model_name == "minilm":
        config, params = load_encoder(source, 2, jax.random.key(0))
        return Problem(make_classifier(config), params, train)
    config = load_config(SHAPES / model_name)
    if layers is not None:
        config = dataclasses.replace(config, num_layers=layers)
    train = Dataset([ids % config.vocab_size for ids in train.input_ids], *train[1:])
    model, ids = make_model(config), jnp.zeros(4, jnp.int32)
    params = jax.jit(model.init)(jax.random.key(0), ids, ids)["params"]
    scale = 3 * (768 / config.hidden_size) ** 0.5
    params = jax.tree.map_with_path(
        lambda path, leaf: scale * leaf if path[-1].key == "kernel" else leaf, params
    )
    return Problem(make_classifier(config), params, train)


def short_training(encoder: str, rows: int, epochs: int) -> RunConfig:
    """Return settings of label steps of 64, all of one length, with a round on pools an epoch.

    Everything else of a run is as little as may be.
    """
    rounds = {"interval": rows // 64, "epochs": 2, "batch": 64, "probes": 64, "partners": "pooled"}
    return from_dict(
        RunConfig,
        {
            "encoder": encoder,
            "max_length": 40,
            "pad_to_multiple_of": 40,
            "cid_when": "end",
            "accuracy_when": "end",
            "cid_probes": 8,
            "cid_rows": 16,
            "label": {"epochs": epochs, "batch": 64, "chunk": 64},
            "influence": rounds,
            "data": {"textlen": {"train_size": rows, "dev_size": 8, "test_size": 8}},
        },
    )


def measure(
    function: Callable[..., Any],
    *args: Any,
    repeats: int = 7,
    budget: float = 5.0,
    most_bytes: int | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Timing:
    """Time a function of JAX arrays after a warm-up, until ``budget`` seconds have passed.

    The least time counts: what else a shared machine does can only add. A function that needs more
    than ``most_bytes`` of memory is compiled, not run, and raises TooLarge. ``time.process_time``
    as the clock counts what all threads of the process work, and not what they wait for others.
    """
    started = clock()
    compiled = cast(jax.stages.Wrapped, jit(function)).lower(*args).compile()
    compile_seconds = clock() - started
    memory = compiled.memory_analysis()
    assert memory is not None, "this backend does not tell how much memory a function needs"
    size = memory.temp_size_in_bytes + memory.output_size_in_bytes
    if most_bytes is not None and size > most_bytes:
        raise TooLarge(size)
    output = jax.block_until_ready(compiled(*args))
    seconds: list[float] = []
    while len(seconds) < repeats and (not seconds or sum(seconds) < budget):
        started = clock()
        jax.block_until_ready(compiled(*args))
        seconds.append(clock() - started)
    return Timing(compiled, output, min(seconds), size, compile_seconds)


def ordinary_gradient(
    problem: Problem,
) -> Callable[[Params, dict[str, jax.Array]], tuple[jax.Array, Params]]:
    """Build the mean label loss of a batch without dropout, with its gradient."""

    def mean_loss(params: Params, examples: dict[str, jax.Array]) -> jax.Array:
        outputs = problem.classifier.outputs(params, examples, None)
        return cross_entropy(outputs.logits, examples["label"]).mean()

    return jax.value_and_grad(mean_loss)


def batch_of(work: Work, data: Dataset) -> dict[str, Any]:
    """Return a piece of work as its step takes it."""
    examples = {} if work.examples is None else {"examples": collate(data, work.examples)}
    return dict(work.arrays) | examples


def second_time(function: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds of a call after one that compiles, and its result."""
    function()
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result


def make_epoch(problem: Problem, chunk: int) -> Callable[[], Params]:
    """Build a function that adds up ordinary gradients of all examples, chunk by chunk."""

    @jax.jit
    def add(params: Params, examples: dict[str, jax.Array], total: Params) -> Params:
        _, gradient = ordinary_gradient(problem)(params, examples)
        return jax.tree.map(jnp.add, total, gradient)

    def epoch() -> Params:
        total = jax.tree.map(jnp.zeros_like, problem.params)
        for places, _ in chunks_by_length(problem.data, np.arange(len(problem.data)), chunk):
            total = add(problem.params, collate(problem.data, places), total)
        return jax.block_until_ready(total)

    return epoch


def relative_error(tree: Params, reference: Params) -> float:
    """Return the norm of the difference of two trees over that of the reference."""

    def norm(x: Params) -> float:
        return float(jnp.sqrt(sum(jnp.vdot(leaf, leaf) for leaf in jax.tree.leaves(x))))

    return norm(jax.tree.map(jnp.subtract, tree, reference)) / norm(reference)


def make_parser(prog: str, doc: str) -> Parser:
    """Make a parser that has ``--json``, described by the first paragraph of a docstring."""
    parser = Parser(prog=prog, description=doc.split("\n\n")[0])
    parser.add_argument("--json", type=Path, help="where to write the records")
    return parser


def textlen(size: int) -> DataConfig:
    """Return the settings of so many training sentences of TextLen."""
    return DataConfig(textlen=TextLenConfig(train_size=size, dev_size=2, test_size=2))


def write_records(records: Sequence[Record], path: Path | None) -> None:
    """Write the records, each with its environment, if there is a path."""
    if path:
        about = environment()
        write_json(path, [record | about for record in records])


def environment() -> dict[str, Any]:
    """Return machine, versions, commit and day, for every record."""
    return {
        "machine": f"{machine()}, {jax.devices()[0].device_kind}",
        "jax": jax.__version__,
        "commit": commit(),
        "date": datetime.date.today().isoformat(),
    }


def print_table(records: Sequence[Record], columns: Sequence[str]) -> None:
    """Print some columns of the records as a table."""
    rows = [[_format(record.get(column)) for column in columns] for record in records]
    print(align([list(columns), *rows]))


def _format(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
