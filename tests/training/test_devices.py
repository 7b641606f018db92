"""Training on several devices, or with pauses, ends as on one without, whatever the method."""

from functools import cache, partial
from itertools import pairwise

import jax
import numpy as np
import pytest

from itune.training import batches
from itune.training.batches import next_work
from itune.utils.compiling import jit
from itune.utils.devices import lay_out
from tests.helpers.killing import kill_before
from tests.helpers.many_devices import on_devices
from tests.helpers.tiny_method import EVEN, initial_params
from tests.helpers.tiny_runs import METHODS, assert_same, method_of, run


@pytest.fixture(scope="module")
def on_one(tmp_path_factory):
    return cache(lambda name: run(name, tmp_path_factory.mktemp("one")))


@pytest.mark.parametrize(
    ("name", "count"), [*((name, 3) for name in METHODS), ("drawn", 8), ("pooled", 8)]
)
def test_as_on_one_device(name, count, on_one, tmp_path):
    """With dropout; chunks of 4 and tuples of 2 do not come out even on 3 devices.

    Methods do not know how many there are, and on 8 two of them stand for all.
    """
    expected = on_one(name)
    with on_devices(count):
        assert_same(run(name, tmp_path), expected)
    if name == "guarded":
        assert {0, 5} <= {row.get("halvings") for row in on_one(name)[1]}


def test_divided_parameters(on_one, tmp_path):
    expected = on_one("pooled")
    with on_devices(4, divide_params=True):
        assert_same(run("pooled", tmp_path, 1e9), expected)
        placed = lay_out(initial_params())
        assert not all(leaf.sharding.is_fully_replicated for leaf in jax.tree.leaves(placed))


@pytest.mark.parametrize("name", ["drawn", "pooled", "guarded"])
def test_resumed_on_other_devices(name, on_one, tmp_path):
    """Cut off on 8 devices in the first round, gone on with on 1, and on 4 with divided states."""
    expected = on_one(name)
    for count, most in ((8, 7), (1, 5)):
        with on_devices(count):
            kill_before(most, partial(run, name, tmp_path, 0))
    with on_devices(4, divide_params=True):
        assert_same(run(name, tmp_path, 1e9), expected)


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("guarded", [("influence_update", 0)]),  # the first update, which has its examples
        ("dropout", [("tuples", 1)]),
        ("fish", [("label", 2)]),  # inside a loop over the groups
        ("group_dro", [("label", 3)]),  # inside the second label step, after the group weights
        ("last_layer", [("head", 1)]),
        # Between vectors of the second training's second label step, and between its gradients.
        ("cnc", [("vectors", 3), ("label", 3)]),
        # In both trainings, with a part held out or dropped, and in what is between them.
        ("d3m", [("label", 5), ("reference_gradient", 1), ("score", 1), ("label", 17)]),
        ("iffair", [("score", 1), ("label", 17)]),  # also in the second, which weighs rows
        ("auto_d3m", [("attributions", 1)]),
        # In both biased models, in finetuning, and in the remedy.
        (
            "bcsi",
            [("curvature", 1), ("self_influence", 1), ("biased", 9), ("label", 7), ("remedy", 3)],
        ),
    ],
)
def test_killed_and_resumed(name, places, on_one, tmp_path):
    """Killed before certain batches of certain kinds of work."""
    kinds = [work.kind for work in method_of(name).plan() if work.examples is not None]
    at = [[n for n, of in enumerate(kinds) if of == kind][number] for kind, number in places]
    assert at == sorted(at)
    for first, batch in pairwise([0, *at]):
        kill_before(batch, partial(run, name, tmp_path, 0), first=first)
    (params, rows), whole = run(name, tmp_path), on_one(name)
    assert rows == whole[1]
    jax.tree.map(np.testing.assert_array_equal, params, whole[0])
    marked = [row["marked"] for row in rows if row["kind"] == "restart"]
    assert not marked or 0 < marked[-1] < 24


def test_tuples_of_an_update_are_done_at_once():
    """Of 5 tuples in chunks of 2 there are 3 chunks; label chunks draw their own dropout."""
    plan = method_of("drawn").plan()
    with on_devices(8):
        starts, pieces = [0], []
        while starts[-1] < len(plan):
            work, count = next_work(plan, starts[-1])
            pieces.append((work.kind, count))
            starts.append(starts[-1] + count)
    assert set(pieces) >= {("tuples", 3), ("label", 1)}
    assert next_work(plan, [work.kind for work in plan].index("tuples"))[1] == 1


@pytest.mark.parametrize(
    ("name", "kind"), [("drawn", "label"), ("drawn", "tuples"), ("pooled", "pool")]
)
def test_work_is_divided(name, kind):
    """Each of 4 devices computes little more than a quarter of what one would."""
    method = method_of(name)
    work = next(work for work in method.plan() if work.kind == kind)
    many = {k: np.repeat(v, 16, work.axis) if np.ndim(v) else v for k, v in work.arrays.items()}
    work = work._replace(arrays=many, examples=np.repeat(work.examples, 16, work.axis))

    def flops(count):
        with on_devices(count):
            state, batch = lay_out(method.init(initial_params())), batches.batch_of(work, EVEN)
            compiled = jit(method.steps[kind]).lower(state, batch).compile()
        return compiled.cost_analysis()["flops"]

    assert flops(4) < 0.35 * flops(1)
