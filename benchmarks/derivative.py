"""What the exact derivative of the influence loss costs, by each route.

``python benchmarks/derivative.py`` measures every route at k = 1, 3, 5 and 10 partners a group on
MiniLM and on a BERT-base of random weights; ``--quick`` takes MiniLM at k = 5 alone. For each it
checks the answer first, then prints time and memory as ratios to an ordinary gradient of the same
1 + 2 k examples, in the same process, beside what counting operations predicts. ``--json FILE``
writes the records.
"""

import datetime
import json
import platform
import statistics
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from itune.analysis.tables import align
from itune.cli import Parser, run_main
from itune.data import TextLenConfig
from itune.data.dataset import collate, tokenize
from itune.data.sampling import draw_partners
from itune.data.tasks import DataConfig, load_splits
from itune.influence import Tuples, value_and_grad
from itune.models import (
    BertClassifier,
    BertConfig,
    load_encoder,
    load_tokenizer,
    resolve_encoder,
)
from itune.training.classifier import make_classifier
from itune.training.records import write_json

MINILM = "all-MiniLM-L6-v2"
BASE = BertConfig(
    vocab_size=30522, hidden_size=768, num_layers=12, num_heads=12, intermediate_size=3072
)
ROUTES = ("ghost", "autodiff", "hvp", "hvp_pairs")
REFERENCE = "autodiff"
TOLERANCE = 1e-3
"""Largest accepted error of a gradient, relative to its norm, in float32."""


def predicted_ratio(route: str, k: int) -> float | None:
    """Time over that of an ordinary gradient, from counting forward passes (F).

    An ordinary gradient costs 3 F an example, ghost 6 F; a Hessian-vector product 6 F, beside the
    gradients: 1 + 2 k products in all, or 4 a pair.
    """
    examples = 1 + 2 * k
    return {
        "ghost": 2.0,
        "hvp": (6 + 3 * 2) / 3,
        "hvp_pairs": 2 * k * (4 * 6 + 2 * 2 * 3) / (3 * examples),
    }.get(route)


def main(argv: list[str]) -> None:
    """Measures, prints a table, and writes the records."""
    parser = Parser(prog="derivative.py", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="MiniLM at k = 5 only")
    parser.add_argument("--json", type=Path, help="where to write the records")
    parser.add_argument("--repeats", type=int, default=5, help="timed runs of each (5)")
    options = parser.parse_args(argv)
    records = []
    for model_name in ("minilm",) if options.quick else ("minilm", "bert-base"):
        for k in (5,) if options.quick else (1, 3, 5, 10):
            records += measure(model_name, k, options.repeats)
            if options.json:
                write_json(options.json, records)
    columns = ("model", "route", "k", "time_ratio", "predicted", "memory_ratio", "relative_error")
    rows = [[_cell(record[column]) for column in columns] for record in records]
    print(align([columns, *rows]))


def measure(model_name: str, k: int, repeats: int) -> list[dict]:
    """One record for each route."""
    model, params, tuples = _problem(model_name, k)
    classifier = make_classifier(model)
    examples = jax.tree.map(
        lambda probe, partners: jnp.concatenate([probe, partners[0]]),
        tuples.probe,
        tuples.partners,
    )

    def mean_loss(params, examples):
        return classifier.batch_losses(params, examples, None).mean()

    ordinary = _time(jax.value_and_grad(mean_loss), repeats, params, examples)
    routes = sorted(ROUTES, key=lambda route: route != REFERENCE)
    records, reference = [], None
    for route in routes:
        result = _time(value_and_grad(classifier.loss, route=route), repeats, params, tuples)
        gradient = result["output"][1]
        reference = gradient if route == REFERENCE else reference
        error = _relative_error(gradient, reference)
        if not error < TOLERANCE:
            raise AssertionError(f"{route}: gradient is off by {error:.1e} of its norm")
        records.append(
            {
                "model": model_name,
                "route": route,
                "k": k,
                "examples": 1 + 2 * k,
                "time_ratio": result["seconds"] / ordinary["seconds"],
                "predicted": predicted_ratio(route, k),
                "memory_ratio": result["bytes"] / ordinary["bytes"],
                "relative_error": error,
                "seconds": result["seconds"],
                "compile_seconds": result["compile_seconds"],
                "ordinary_seconds": ordinary["seconds"],
                "positions": tuples.probe["input_ids"].shape[-1],
                "machine": f"{platform.machine()}, {jax.devices()[0].device_kind}",
                "jax": jax.__version__,
                "date": datetime.date.today().isoformat(),
            }
        )
        print(json.dumps(records[-1]), file=sys.stderr, flush=True)
    return records


def _problem(model_name: str, k: int):
    """A model, its parameters, and one tuple of TextLen."""
    recipe = TextLenConfig(train_size=400, dev_size=2, test_size=2)
    splits = load_splits(DataConfig(textlen=recipe))
    source = resolve_encoder(MINILM)
    data = tokenize(splits.train, load_tokenizer(source), max_length=64)
    if model_name == "minilm":
        config, params = load_encoder(source, 2, jax.random.key(0))
        model = BertClassifier(config)
    else:
        model = BertClassifier(BASE)
        ids = jnp.zeros(4, jnp.int32)
        params = jax.jit(model.init)(jax.random.key(0), ids, ids)["params"]
    rng = np.random.default_rng(0)
    probe = np.array([int(np.flatnonzero(data.label == 1)[0])])
    pool = np.arange(len(data))
    partners, weights = draw_partners(rng, probe, k, data.label, data.confound, pool)
    batch = collate(data, np.column_stack([probe, partners]))
    return (
        model,
        params,
        Tuples(
            {name: jnp.asarray(value[:, 0]) for name, value in batch.items()},
            {name: jnp.asarray(value[:, 1:]) for name, value in batch.items()},
            jnp.asarray(weights),
        ),
    )


def _time(function, repeats, *args) -> dict:
    """Median time of the compiled function after a warm-up, with the memory it needs."""
    started = time.perf_counter()
    compiled = jax.jit(function).lower(*args).compile()
    compile_seconds = time.perf_counter() - started
    output = jax.block_until_ready(compiled(*args))
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        jax.block_until_ready(compiled(*args))
        seconds.append(time.perf_counter() - started)
    memory = compiled.memory_analysis()
    return {
        "output": output,
        "seconds": statistics.median(seconds),
        "compile_seconds": compile_seconds,
        "bytes": memory.temp_size_in_bytes + memory.output_size_in_bytes,
    }


def _relative_error(tree, reference) -> float:
    def norm(x):
        return float(jnp.sqrt(sum(jnp.vdot(leaf, leaf) for leaf in jax.tree.leaves(x))))

    return norm(jax.tree.map(jnp.subtract, tree, reference)) / norm(reference)


def _cell(value) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(run_main(main))
