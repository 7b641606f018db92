"""Label steps and the gradient of a tuple beside PyTorch's, in one process on the same inputs.

Needs torch, which nothing else here does: ``pip install torch``. PyTorch's gradient of a tuple is
by double backward in three ways: example by example, by ``torch.func.vmap``, and by one
Hessian-vector product an example with the vectors of ``docs/derivation.md``.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from derivative import draw_tuples
from harness import (
    MINILM,
    Problem,
    Record,
    make_parser,
    make_problem,
    ordinary_gradient,
    print_table,
    relative_error,
    textlen,
    write_records,
)
from itune import UserError
from itune.cli import run_main
from itune.data import collate
from itune.influence import value_and_grad
from itune.models import (
    from_hugging_face,
    load_encoder,
    resolve_encoder,
    save_classifier,
)
from itune.utils import jit

torch: Any = import_module("torch") if find_spec("torch") else None

K = 5
TOLERANCE = 2e-3
"""Largest accepted difference of two gradients, relative to the norm, in float32."""


def main(argv: list[str]) -> None:
    """Measure, print a table, and write the records."""
    parser = make_parser("peers.py", __doc__)
    parser.add_argument("--examples", type=int, default=64, help="of a label step (64)")
    parser.add_argument("--repeats", type=int, default=5, help="of which the median counts (5)")
    options = parser.parse_args(argv)
    if torch is None:
        raise UserError("torch is not installed; install it with pip install torch")
    problem, source = make_problem("minilm", textlen(400)), resolve_encoder(MINILM)
    config, _ = load_encoder(source, 2, jax.random.key(0))
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "model"
        save_classifier(saved, config, problem.params, source)
        peers = [Peer(saved, "sdpa"), Peer(saved, "eager")]
    records = [
        *of_label_step(problem, peers, options.examples, options.repeats),
        *of_tuple(problem, peers, config, options.repeats),
    ]
    write_records([record | {"torch": torch.__version__} for record in records], options.json)
    columns = ("what", "by", "seconds", "to_ordinary", "to_torch", "tokens_per_second")
    print_table(records, columns)


class Peer:
    """The same model in PyTorch, with one of its attentions, without dropout."""

    def __init__(self, folder: Path, attention: str) -> None:
        from transformers import AutoModelForSequenceClassification

        model = AutoModelForSequenceClassification.from_pretrained(
            folder, attn_implementation=attention
        )
        self.name, self._model = f"torch, {attention}", model.eval()
        self._params = dict(model.named_parameters())

    def ordinary(self, batch: dict[str, np.ndarray]) -> list[Any]:
        """Compute the gradient of the mean loss."""
        loss = self._losses(self._params, _as_torch(batch)).mean()
        return list(torch.autograd.grad(loss, list(self._params.values())))

    def by_example(self, batch: dict[str, np.ndarray], weights: np.ndarray) -> dict[str, Any]:
        """Compute the gradient of J by double backward of each example's gradient."""
        params = list(self._params.values())
        gradients = [
            torch.autograd.grad(self._losses(self._params, row).mean(), params, create_graph=True)
            for row in _rows(_as_torch(batch))
        ]
        loss = _influence_loss(gradients, weights)
        return dict(zip(self._params, torch.autograd.grad(loss, params), strict=True))

    def by_vmap(self, batch: dict[str, np.ndarray], weights: np.ndarray) -> dict[str, Any]:
        """Compute the gradient of J through ``vmap`` of gradients."""
        examples = _as_torch(batch)
        mask = examples["attention_mask"][:, None, None].float()
        length = mask.shape[-1]
        # As the layers take it: on the way there transformers looks at values.
        added = ((1 - mask) * torch.finfo(mask.dtype).min).expand(-1, 1, length, length)
        examples["attention_mask"] = added

        def loss_of(params: dict[str, Any], row: dict[str, Any]) -> Any:
            return self._losses(params, {k: v[None] for k, v in row.items()}).mean()

        def influence_loss(params: dict[str, Any]) -> Any:
            per_example = torch.func.vmap(torch.func.grad(loss_of), (None, 0))
            gradients = per_example(params, examples)
            rows = range(len(weights) + 1)
            return _influence_loss([[g[i] for g in gradients.values()] for i in rows], weights)

        return torch.func.grad(influence_loss)(dict(self._params))

    def by_products(self, batch: dict[str, np.ndarray], weights: np.ndarray) -> dict[str, Any]:
        """Compute the gradient of J by one Hessian-vector product an example."""
        params, rows = list(self._params.values()), _rows(_as_torch(batch))
        graphs = [
            torch.autograd.grad(self._losses(self._params, row).mean(), params, create_graph=True)
            for row in rows
        ]
        with torch.no_grad():
            norms = [_dot(g, g).sqrt() for g in graphs]
            units = [[x / norm for x in g] for g, norm in zip(graphs, norms, strict=True)]
            influences = [_dot(unit, units[0]) for unit in units]
            signed = [0.0, *map(float, weights)]
            delta = sum(w * i for w, i in zip(signed, influences, strict=True))
            mean = [
                sum(w * u[n] for w, u in zip(signed, units, strict=True))
                for n in range(len(params))
            ]
            vectors = [
                [w * (p - i * u) / norm for p, u in zip(units[0], unit, strict=True)]
                for w, i, unit, norm in zip(signed, influences, units, norms, strict=True)
            ]
            vectors[0] = [(m - delta * u) / norms[0] for m, u in zip(mean, units[0], strict=True)]
        total = sum(_dot(g, v) for g, v in zip(graphs, vectors, strict=True))
        products = torch.autograd.grad(2 * delta * total, params)
        return dict(zip(self._params, products, strict=True))

    def _losses(self, params: dict[str, Any], batch: dict[str, Any]) -> Any:

        inputs = {key: batch[key] for key in ("input_ids", "attention_mask")}
        output = torch.func.functional_call(self._model, params, kwargs=inputs)
        return torch.nn.functional.cross_entropy(output.logits, batch["label"], reduction="none")


TUPLE_WAYS = {
    "by example": Peer.by_example,
    "by vmap": Peer.by_vmap,
    "by products": Peer.by_products,
}


def of_label_step(problem: Problem, peers: list[Peer], count: int, repeats: int) -> list[Record]:
    """Measure the gradient of the labels of the longest sentences."""
    longest = np.argsort(problem.data.lengths, kind="stable")[-count:]
    batch = collate(problem.data, longest)
    compiled = jit(ordinary_gradient(problem), fuses=False)
    examples = jax.tree.map(jnp.asarray, batch)
    ways = {"itune": lambda: jax.block_until_ready(compiled(problem.params, examples))}
    ways |= {peer.name: lambda peer=peer: peer.ordinary(batch) for peer in peers}
    times = _alternate(ways, repeats)
    best = min(times[peer.name] for peer in peers)
    shape = batch["input_ids"].shape
    return [
        {
            "what": f"label step, {shape[0]} × {shape[1]}",
            "by": way,
            "seconds": seconds,
            "to_torch": seconds / best,
            "tokens_per_second": shape[0] * shape[1] / seconds,
        }
        for way, seconds in times.items()
    ]


def of_tuple(problem: Problem, peers: list[Peer], config: Any, repeats: int) -> list[Record]:
    """Measure the gradient of J of one tuple, over an ordinary gradient of its examples."""
    tuples = draw_tuples(problem, K, 1)
    examples = jax.tree.map(
        lambda probe, partners: jnp.concatenate([probe, partners[0]]),
        tuples.probe,
        tuples.partners,
    )
    batch, weights = jax.tree.map(np.asarray, (examples, tuples.weights[0]))
    derivative = jit(value_and_grad(problem.classifier.loss))
    ordinary = jit(ordinary_gradient(problem), fuses=False)
    ways: dict[str, Callable[[], Any]] = {
        "itune": lambda: jax.block_until_ready(derivative(problem.params, tuples)),
        "itune, ordinary": lambda: jax.block_until_ready(ordinary(problem.params, examples)),
        "torch, ordinary": lambda: peers[0].ordinary(batch),
    }
    expected = derivative(problem.params, tuples)[1]
    for name, way in TUPLE_WAYS.items():
        tensors = {key: g.detach().numpy() for key, g in way(peers[1], batch, weights).items()}
        gradient = from_hugging_face(tensors, config, jax.random.key(0))
        error = relative_error(gradient, expected)
        if not error < TOLERANCE:
            raise AssertionError(f"{name}: gradient is off by {error:.1e} of its norm")
        ways[f"torch, {name}"] = lambda way=way: way(peers[1], batch, weights)
    times = _alternate(ways, repeats)
    best = min(times[f"torch, {name}"] for name in TUPLE_WAYS)
    return [
        {
            "what": f"tuple, k = {K}, {len(weights) + 1} × {batch['input_ids'].shape[1]}",
            "by": way,
            "seconds": seconds,
            "to_ordinary": seconds / times[f"{way.split(',')[0]}, ordinary"],
            "to_torch": seconds / best,
        }
        for way, seconds in times.items()
    ]


def _alternate(ways: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Time functions in turns, after a warm-up; return medians."""
    times: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(repeats + 1):
        for way, function in ways.items():
            started = time.perf_counter()
            function()
            if turn:
                times[way].append(time.perf_counter() - started)
    return {way: float(np.median(of)) for way, of in times.items()}


def _as_torch(batch: dict[str, np.ndarray]) -> dict[str, Any]:

    return {key: torch.from_numpy(np.asarray(value, np.int64)) for key, value in batch.items()}


def _rows(batch: dict[str, Any]) -> list[dict[str, Any]]:
    return [{k: v[i : i + 1] for k, v in batch.items()} for i in range(len(batch["label"]))]


def _dot(a: Any, b: Any) -> Any:
    return sum((x * y).sum() for x, y in zip(a, b, strict=True))


def _influence_loss(gradients: Any, weights: np.ndarray) -> Any:
    """Compute J of a tuple from its gradients, the probe's first."""
    norms = [_dot(g, g).sqrt() for g in gradients]
    influences = [
        _dot(g, gradients[0]) / (norm * norms[0])
        for g, norm in zip(gradients[1:], norms[1:], strict=True)
    ]
    return sum(float(w) * i for w, i in zip(weights, influences, strict=True)) ** 2


if __name__ == "__main__":
    sys.exit(run_main(main))
