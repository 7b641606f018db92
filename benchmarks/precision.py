"""What lower precision does to influences, CID, the gradient of J and that of the labels.

MiniLM on TextLen, before training and after some label steps. ``bfloat16`` computes with weights
of that dtype throughout; ``weights`` rounds the weights alone and computes in float32. On
accelerators, matrix products of less than full precision come in addition.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from derivative import pools_of
from harness import (
    Problem,
    Record,
    batch_of,
    make_parser,
    make_problem,
    ordinary_gradient,
    print_table,
    relative_error,
    textlen,
    write_records,
)
from itune.cli import run_main
from itune.data import collate
from itune.influence import PAIR_FREE, cosines, value_and_grad
from itune.methods import METHODS, LabelConfig
from itune.metrics import make_cid
from itune.models import Params
from itune.utils import jit

PRODUCTS = ("tensorfloat32", "bfloat16")
"""Precisions of matrix products, on accelerators."""


class Precision(NamedTuple):
    """How a column of the table is computed: with which weights, and in which context."""

    name: str
    weights: Callable[[Params], Params]
    products: Callable[[], AbstractContextManager[object]] = nullcontext


def main(argv: list[str]) -> None:
    """Measure, print a table, and write the records."""
    parser = make_parser("precision.py", __doc__)
    parser.add_argument(
        "--steps", type=int, default=20, help="label steps of the second model (20)"
    )
    parser.add_argument("--examples", type=int, default=64, help="examples of everything (64)")
    options = parser.parse_args(argv)
    problem = make_problem("minilm", textlen(480))
    records: list[Record] = []
    for steps in (0, options.steps):
        params = _trained(problem, steps)
        for record in compare(problem._replace(params=params), options.examples):
            records.append({"model": "minilm", "steps": steps, **record})
    write_records(records, options.json)
    columns = ("steps", "precision", "influence_largest", "influence_error", "cid", "cid_full")
    print_table(records, (*columns, "gradient_of_j_error", "label_gradient_error"))


def compare(problem: Problem, count: int) -> Iterator[Record]:
    """Yield a record for each precision, of the first examples; the reference is ``highest``."""
    examples = jax.tree.map(jnp.asarray, collate(problem.data, np.arange(count)))
    pool = pools_of(problem, count)[-1]
    few = problem.data.subset(np.arange(count))
    cid = make_cid(problem.classifier.loss, few, probes=np.arange(count))
    functions = {
        "influences": jit(cosines(problem.classifier.loss)),
        "derivative": jit(value_and_grad(problem.classifier.loss, route=PAIR_FREE)),
        "gradient": jit(ordinary_gradient(problem)),
    }

    def measure(precision: Precision) -> tuple[np.ndarray, float, Params, Params]:
        params = precision.weights(problem.params)
        with precision.products():
            influences = functions["influences"](params, examples, examples)
            gradient_of_j = functions["derivative"](params, pool)[1]
            gradient = functions["gradient"](params, examples)[1]
            value = cid(params).summary()["cid_without_self"]
        return np.asarray(influences, np.float32), value, _full(gradient_of_j), _full(gradient)

    full = measure(Precision("highest", lambda params: params, _products("highest")))
    for precision in _precisions():
        influences, value, gradient_of_j, gradient = measure(precision)
        errors = np.abs(influences - full[0])
        yield {
            "precision": precision.name,
            "examples": count,
            "influence_largest": float(errors.max()),
            "influence_error": float(np.sqrt(np.mean(errors**2))),
            "cid": value,
            "cid_full": full[1],
            "gradient_of_j_error": relative_error(gradient_of_j, full[2]),
            "label_gradient_error": relative_error(gradient, full[3]),
        }


def _precisions() -> Iterator[Precision]:
    yield Precision("weights", lambda params: _full(_rounded(params)))
    yield Precision("bfloat16", _rounded)
    if jax.default_backend() != "cpu":  # a CPU has one precision
        for name in PRODUCTS:
            yield Precision(name + " products", lambda params: params, _products(name))


def _products(name: str) -> Callable[[], AbstractContextManager[object]]:
    return lambda: jax.default_matmul_precision(name)


def _rounded(params: Params) -> Params:
    return jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), params)


def _full(params: Params) -> Params:
    return jax.tree.map(lambda leaf: leaf.astype(jnp.float32), params)


def _trained(problem: Problem, steps: int) -> Params:
    """Finetune for some label steps."""
    if not steps:
        return problem.params
    method = METHODS["finetuning"].factory(problem.classifier, LabelConfig(), problem.data, 2021)
    compiled = {kind: jit(step, fuses=False) for kind, step in method.steps.items()}
    state = method.init(problem.params)
    for work in method.plan():
        if work.step == steps:
            break
        if work.kind in compiled:
            state, _ = compiled[work.kind](state, batch_of(work, problem.data))
    return state.params


if __name__ == "__main__":
    sys.exit(run_main(main))
