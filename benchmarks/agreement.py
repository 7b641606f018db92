"""How well the routes of the derivative agree: each with each, in float64 and in float32.

On a pool of four TextLen sentences, so that every route has a say; the norm of the difference of
two gradients is over that of the one in float64 by autodiff.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np

from harness import Record, environment, make_parser, make_problem, textlen
from itune.cli import run_main
from itune.data import collate, draw_pools
from itune.influence import PAIR_FREE, ROUTES, Pool, value_and_grad
from itune.models import Params
from itune.utils import align, jit, write_json

ALL = ("autodiff", "ghost", "hvp", "hvp_pairs", PAIR_FREE)


def main(argv: list[str]) -> None:
    """Compute every gradient, print the table, and write the records."""
    options = make_parser("agreement.py", __doc__).parse_args(argv)
    problem = make_problem("minilm", textlen(400))
    data = problem.data
    indices, is_real = draw_pools(
        np.random.default_rng(0), 8, data.label, data.confound, np.arange(len(data))
    )[0]
    pool = Pool(jax.tree.map(jnp.asarray, collate(data, indices)), jnp.asarray(is_real))
    gradients = {}
    for bits in (64, 32):
        with jax.enable_x64(bits == 64):
            params = jax.tree.map(lambda p, b=bits: jnp.asarray(p, f"float{b}"), problem.params)
            for route in ALL:
                microbatch = 1 if route in ROUTES else None
                fun = value_and_grad(problem.classifier.loss, route=route, microbatch=microbatch)
                _, gradient = jit(fun)(params, pool)
                gradients[bits, route] = _flat(gradient)
                print(f"float{bits} {route}", file=sys.stderr, flush=True)
    size = np.linalg.norm(gradients[64, "autodiff"])
    records = [
        {"bits": bits, "route": a, "other": b, "other_bits": other_bits, "difference": difference}
        for bits, other_bits in ((64, 64), (32, 32), (32, 64))
        for a in ALL
        for b in ALL
        for difference in [np.linalg.norm(gradients[bits, a] - gradients[other_bits, b]) / size]
    ]
    if options.json:
        about = {"model": "minilm", "examples": int(is_real.sum()), **environment()}
        write_json(options.json, [record | about for record in records])
    for bits, other_bits in ((64, 64), (32, 32), (32, 64)):
        rows = [
            [a, *(f"{r['difference']:.0e}" for r in records if _key(r) == (bits, other_bits, a))]
            for a in ALL
        ]
        print(f"\nfloat{bits} against float{other_bits}")
        print(align([["", *ALL], *rows]))


def _key(record: Record) -> tuple[int, int, str]:
    return record["bits"], record["other_bits"], record["route"]


def _flat(tree: Params) -> np.ndarray:
    return np.concatenate([np.ravel(leaf).astype(np.float64) for leaf in jax.tree.leaves(tree)])


if __name__ == "__main__":
    sys.exit(run_main(main))
