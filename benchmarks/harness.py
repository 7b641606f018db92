"""What the benchmarks share: models with real inputs, times and memory, and where that was."""

import datetime
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from itune.corpora.tasks import DataConfig, load_splits
from itune.data.dataset import Dataset, tokenize
from itune.influence import cross_entropy
from itune.methods import Classifier
from itune.models import BertConfig, load_encoder, load_tokenizer, make_model, resolve_encoder
from itune.training.classifier import make_classifier
from itune.training.versions import commit, machine
from itune.utils.compiling import jit
from itune.utils.table_files import align

MINILM = "all-MiniLM-L6-v2"
BASE = BertConfig(
    vocab_size=30522, hidden_size=768, num_layers=12, num_heads=12, intermediate_size=3072
)
MODELS = ("minilm", "bert-base")


class Problem(NamedTuple):
    """A classifier with parameters, and tokenised training data."""

    classifier: Classifier
    params: Any
    data: Dataset


class Timing(NamedTuple):
    """A compiled function, its output, least seconds, memory in bytes, and time to compile."""

    function: Callable
    output: Any
    seconds: float
    bytes: int
    compile_seconds: float


class TooLarge(Exception):
    """A function would need more memory than it may have; holds that in bytes."""


def make_problem(model_name: str, data: DataConfig) -> Problem:
    """MiniLM with its weights, or a BERT-base of random ones; TextLen in MiniLM's tokens.

    The random kernels are three times as large as BERT starts with (standard deviation 0.06). As it
    starts, all sentences come out alike: influences are 0.98, their differences 0.001, and what is
    left of the derivative in float32 is not enough to check a route by.
    """
    source = resolve_encoder(MINILM)
    train = tokenize(load_splits(data).train, load_tokenizer(source), max_length=64)
    if model_name == "minilm":
        config, params = load_encoder(source, 2, jax.random.key(0))
        return Problem(make_classifier(config), params, train)
    model, ids = make_model(BASE), jnp.zeros(4, jnp.int32)
    params = jax.jit(model.init)(jax.random.key(0), ids, ids)["params"]
    params = jax.tree.map_with_path(
        lambda path, leaf: 3 * leaf if path[-1].key == "kernel" else leaf, params
    )
    return Problem(make_classifier(BASE), params, train)


def measure(
    function: Callable,
    *args: Any,
    repeats: int = 7,
    budget: float = 5.0,
    most_bytes: int | None = None,
) -> Timing:
    """Times a function after a warm-up: ``repeats`` times, fewer once ``budget`` seconds are spent.

    The least of them counts: what else a shared machine does can only add.

    Raises:
      TooLarge: it needs more than ``most_bytes``; it was compiled, not run.
    """
    started = time.perf_counter()
    compiled = jit(function).lower(*args).compile()
    compile_seconds = time.perf_counter() - started
    memory = compiled.memory_analysis()
    size = memory.temp_size_in_bytes + memory.output_size_in_bytes
    if most_bytes is not None and size > most_bytes:
        raise TooLarge(size)
    output = jax.block_until_ready(compiled(*args))
    seconds: list[float] = []
    while len(seconds) < repeats and (not seconds or sum(seconds) < budget):
        started = time.perf_counter()
        jax.block_until_ready(compiled(*args))
        seconds.append(time.perf_counter() - started)
    return Timing(compiled, output, min(seconds), size, compile_seconds)


def ordinary_gradient(problem: Problem) -> Callable:
    """The mean label loss of a batch without dropout, and its gradient."""

    def mean_loss(params, examples):
        outputs = problem.classifier.outputs(params, examples, None)
        return cross_entropy(outputs.logits, examples["label"]).mean()

    return jax.value_and_grad(mean_loss)


def relative_error(tree: Any, reference: Any) -> float:
    """The norm of the difference over that of the reference."""

    def norm(x):
        return float(jnp.sqrt(sum(jnp.vdot(leaf, leaf) for leaf in jax.tree.leaves(x))))

    return norm(jax.tree.map(jnp.subtract, tree, reference)) / norm(reference)


def environment() -> dict[str, Any]:
    """Machine, versions, commit and day, for every record."""
    return {
        "machine": f"{machine()}, {jax.devices()[0].device_kind}",
        "jax": jax.__version__,
        "commit": commit(),
        "date": datetime.date.today().isoformat(),
    }


def print_table(records: Sequence[dict], columns: Sequence[str]) -> None:
    """Records as a table on standard output."""
    rows = [[_group(record.get(column)) for column in columns] for record in records]
    print(align([list(columns), *rows]))


def _group(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
