"""Baselines that balance, weight or correct by the confound: their batches, and their updates."""

from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import groupby

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
from method_cases import (
    CLASSIFIER,
    EVEN,
    GROUP_DRO,
    LABEL,
    LAST_LAYER,
    PARTLY_HIDDEN,
    TRAIN,
    TWO_OF_EACH,
    assert_close,
    assert_same_plan,
    assert_updated,
    compiled,
    hide,
    initial_params,
    label_batches,
    label_chunk,
    make_dataset,
    outputs,
    plain_step,
    real,
    run,
    start,
)

from itune.data.cells import cells_of
from itune.data.dataset import Dataset, collate
from itune.errors import UserError
from itune.influence import cross_entropy
from itune.methods import (
    ExpertsConfig,
    GroupDroConfig,
    LabelConfig,
    LastLayerConfig,
    balanced_sampling,
    confounds_read,
    finetuning,
    group_dro,
    last_layer_retraining,
    product_of_experts,
    subsampling,
)
from itune.methods.label import labels_met
from itune.training.optimizers import bert_adam, warmup_linear
from itune.training.recipes import METHODS
from itune.training.settings import RunConfig

# --- plans --------------------------------------------------------------------------------------

SCHEDULE = LabelConfig(epochs=3, batch=25, chunk=4)
BIG = make_dataset(150)
SKEWED = hide(BIG, np.flatnonzero((BIG.label == 1) & (BIG.confound == 2))[3:])  # 3 of a cell
SEEN = hide(SKEWED, np.flatnonzero(BIG.label == 0)[:20])
LAST = LastLayerConfig(epochs=4)


def method_of(name, train=SEEN, label=SCHEDULE, seed=1, **settings):
    if name == "balanced_sampling":
        return balanced_sampling(CLASSIFIER, label, len(train), seed)
    if name == "subsampling":
        return subsampling(CLASSIFIER, label, len(train), seed)
    factory, config = {
        "group_dro": (group_dro, GroupDroConfig()),
        "last_layer_retraining": (last_layer_retraining, LAST),
        "product_of_experts": (product_of_experts, ExpertsConfig()),
    }[name]
    return factory(CLASSIFIER, label, replace(config, **settings), train, seed)


def plan_of(name, train=SEEN, **changes):
    return method_of(name, train, **changes).plan(train)


def cell_counts(batch, train=SEEN):
    return Counter(zip(train.label[batch].tolist(), train.confound[batch].tolist(), strict=True))


def visible_counts(train):
    return cell_counts(train.visible, train)


def used(plan, kind="label"):
    return np.concatenate([real(work) for work in plan if work.kind == kind])


def assert_as_many_steps_as_finetuning(plan):
    plain = finetuning(CLASSIFIER, SCHEDULE, len(SEEN), 1).plan(SEEN)
    kinds = ("label_update", "cid", "accuracy")
    assert_same_plan(*([w for w in p if w.kind in kinds] for p in (plan, plain)))
    assert Counter(w.kind for w in plan)["label_update"] == 3 * (150 // 25)


@pytest.mark.parametrize("name", ["balanced_sampling", "group_dro"])
def test_balanced_batches(name):
    """25 examples by 6 cells: 4 of each; 3 of a cell are not enough."""
    plan = plan_of(name)
    assert_as_many_steps_as_finetuning(plan)
    batches = label_batches(plan)
    assert sorted(visible_counts(SEEN).values())[0] == 3
    assert all(cell_counts(b) == dict.fromkeys(visible_counts(SEEN), 4) for b in batches)
    for batch in batches:
        small = [i for i in batch if (SEEN.label[i], SEEN.confound[i]) == (1, 2)]
        others = [i for i in batch if i not in small]
        assert len(set(others)) == len(others) == 20 and len(set(small)) <= 3
    assert len(set(map(tuple, batches))) == len(batches)
    assert len(np.unique(used(plan))) > 0.8 * len(SEEN.visible)
    assert confounds_read(plan, SEEN) == len(np.unique(used(plan)))


def test_a_cell_as_large_as_its_share_is_taken_whole():
    batches = label_batches(plan_of("balanced_sampling", label=replace(SCHEDULE, batch=18)))
    assert all(len(set(batch)) == 18 for batch in batches)


def test_subsampling():
    """18 examples, 3 of each cell, in 450 places: 25 times each."""
    plan = plan_of("subsampling")
    assert_as_many_steps_as_finetuning(plan)
    batches = label_batches(plan)
    assert all(len(batch) == 25 for batch in batches)
    uses = Counter(used(plan).tolist())
    assert cell_counts(list(uses)) == dict.fromkeys(visible_counts(SEEN), 3)
    assert set(uses.values()) == {25}
    assert all(len(set(batch)) > 12 for batch in batches)
    assert len(set(map(tuple, batches))) > 1
    assert confounds_read(plan, SEEN) == 18
    assert set(uses) != set(used(plan_of("subsampling", seed=2)).tolist())


def test_subsampling_of_much_data_shows_no_example_twice_in_a_pass():
    plan = plan_of("subsampling", BIG, label=replace(SCHEDULE, batch=10, epochs=1))
    least = min(visible_counts(BIG).values())
    order = sum(label_batches(plan), [])
    assert set(Counter(order).values()) <= {150 // (6 * least), 150 // (6 * least) + 1}


@pytest.mark.parametrize("name", ["balanced_sampling", "subsampling", "group_dro"])
def test_only_visible_examples(name):
    hidden = np.setdiff1d(np.arange(150), SEEN.visible)
    assert len(hidden) > 30 and not np.isin(used(plan_of(name)), hidden).any()


def test_group_losses_come_first():
    plan = plan_of("group_dro")
    for _, step in groupby(plan, key=lambda work: work.step):
        step = [w for w in step if w.kind not in ("cid", "accuracy")]
        if not step:
            continue
        kinds = [(kind, len(list(works))) for kind, works in groupby(w.kind for w in step)]
        assert kinds == [
            ("group_losses", 6),  # 24 examples, 4 at once
            ("group_weights", 1),
            ("label", 6),
            ("label_update", 1),
        ]
        first, second = ([w._replace(kind="", cost=0) for w in w6] for w6 in (step[:6], step[7:13]))
        assert_same_plan(first, second)  # also the same dropout
        assert not any("dropout" not in w.arrays for w in first)


@pytest.mark.parametrize("name", ["last_layer_retraining", "product_of_experts"])
def test_as_finetuning_on_all_data(name):
    plan, plain = plan_of(name), finetuning(CLASSIFIER, SCHEDULE, len(SEEN), 1).plan(SEEN)
    assert_same_plan(plan[: len(plain)], plain)


def test_confounds_read_by_the_experts():
    plan = plan_of("product_of_experts")
    seen = np.intersect1d(used(plan), SEEN.visible)
    assert confounds_read(plan, SEEN) == len(seen) > 0.9 * len(SEEN.visible)


@pytest.mark.parametrize("start", ["zero", "finetuned"])
@pytest.mark.parametrize(("batch", "updates"), [(25, 4 * 1), (7, 4 * 2), (18, 4 * 1)])
def test_head_updates(start, batch, updates):
    """18 examples, 3 of each cell: a larger batch takes them all."""
    label = replace(SCHEDULE, batch=batch)
    plan = plan_of("last_layer_retraining", label=label, start=start)
    after = plan[len(finetuning(CLASSIFIER, label, 150, 1).plan(SEEN)) :]
    kinds = [kind for kind, _ in groupby(w.kind for w in after)]
    zero = ["zero_head"] if start == "zero" else []
    assert kinds == [*zero, *["head", "head_update"] * updates, "cid", "accuracy"]
    assert {w.step for w in after} == {3 * (150 // batch)} and after[-1].note == "end"
    uses = Counter(used(plan, "head").tolist())
    assert cell_counts(list(uses)) == dict.fromkeys(visible_counts(SEEN), 3)
    assert sum(uses.values()) == updates * min(batch, 18)
    assert confounds_read(plan, SEEN) == 18


@pytest.mark.parametrize(
    "name",
    [
        "balanced_sampling",
        "subsampling",
        "group_dro",
        "last_layer_retraining",
        "product_of_experts",
    ],
)
class TestAll:
    def test_seeds(self, name):
        assert_same_plan(plan_of(name), plan_of(name))
        assert label_batches(plan_of(name)) != label_batches(plan_of(name, seed=2))

    def test_chunks_change_no_batch(self, name):
        label = replace(SCHEDULE, chunk=25)
        assert label_batches(plan_of(name)) == label_batches(plan_of(name, label=label))

    def test_one_confound_is_an_error(self, name):
        only = Dataset(SEEN.input_ids, SEEN.label, np.minimum(SEEN.confound, 0))
        with pytest.raises(UserError, match=f"^method {name} needs two .* and sees 1; check"):
            plan_of(name, only)

    def test_no_confound_is_an_error(self, name):
        with pytest.raises(UserError, match=f"^method {name} needs two .* and sees 0; check"):
            plan_of(name, hide(SEEN, np.arange(150)))

    def test_too_small_a_cell_is_an_error(self, name):
        cell = np.flatnonzero((SEEN.label == 1) & (SEEN.confound == 2))
        least = {"subsampling": 2, "last_layer_retraining": 2, "product_of_experts": 0}.get(name, 1)
        plan_of(name, hide(SEEN, cell[least:]))
        if least:
            train, sees = hide(SEEN, cell[least - 1 :]), least - 1
            with pytest.raises(UserError, match=f"{name} needs {least} .* y=1 c=2 and sees {sees}"):
                plan_of(name, train)

    def test_a_run_makes_it_of_its_sections(self, name):
        label = replace(SCHEDULE, epochs=1)
        config = RunConfig(label=label, last_layer=replace(LAST, epochs=2))
        kinds = Counter(w.kind for w in METHODS[name].make(config, CLASSIFIER, SEEN, 3).plan(SEEN))
        assert kinds["label_update"] == 6
        assert kinds["head_update"] == (2 if name == "last_layer_retraining" else 0)


def test_labels_met():
    """What chance is, for the test of collapse: balanced batches make it 1/2."""
    train = Dataset(BIG.input_ids, (np.arange(150) % 5 == 0).astype(np.int32), BIG.confound)
    share = {
        name: labels_met(plan_of(name, train), train).mean()
        for name in ("balanced_sampling", "subsampling", "product_of_experts")
    }
    expected = {"balanced_sampling": 0.5, "subsampling": 0.5, "product_of_experts": 0.2}
    assert share == pytest.approx(expected, abs=0.01)
    dropped = finetuning(CLASSIFIER, SCHEDULE, 150, 1, interval=2, drops_dropout=True).plan(train)
    assert len(labels_met(dropped, train)) == 450


@pytest.mark.parametrize("name", ["balanced_sampling", "group_dro"])
def test_more_cells_than_a_batch_has_examples(name):
    with pytest.raises(UserError, match=r"^label.batch is 5 but there are 6 cells, .* 6 or more$"):
        plan_of(name, label=replace(SCHEDULE, batch=5))


@pytest.mark.parametrize(
    ("config", "name", "value"),
    [
        *[(GROUP_DRO, name, -0.1) for name in ("step_size", "weight_decay")],
        (LAST, "epochs", 0),
        *[(LAST, name, -0.1) for name in ("learning_rate", "weight_decay")],
        (LAST, "start", "anew"),
        (ExpertsConfig(), "smoothing", 0.0),
    ],
)
def test_numbers_that_make_no_sense(config, name, value):
    with pytest.raises(UserError, match=f"^{name} is {value!r}; make it "):
        replace(config, **{name: value})


# --- group DRO ----------------------------------------------------------------------------------

CELLS = cells_of(EVEN.label, EVEN.confound)


def losses_of(params, chunks):
    """Label losses of chunks, one after the other, with their dropout."""
    rows = [outputs(params, c["examples"], jax.random.key(c["dropout"])).logits for c in chunks]
    labels = [c["examples"]["label"] for c in chunks]
    return cross_entropy(jnp.concatenate(rows), jnp.concatenate(labels))


@jax.jit
@partial(jax.value_and_grad, has_aux=True)
def weighted_loss(params, chunks, weights):
    losses = losses_of(params, chunks)
    return losses @ weights, losses


def test_two_updates_by_hand():
    rng, tx = np.random.default_rng(3), bert_adam(warmup_linear(0.1, 10))
    q = dict.fromkeys(CELLS, 1 / 6)
    state = start("group_dro")
    np.testing.assert_allclose(np.exp(state.log_weights), list(q.values()))
    for seed in (5, 6):
        batch = np.concatenate([rng.choice(cell, 2, replace=False) for cell in CELLS.values()])
        batch = rng.permutation(batch)
        chunks = [label_chunk(part, 7, seed, data=EVEN) for part in (batch[:7], batch[7:])]
        places = {cell: np.flatnonzero(np.isin(batch, CELLS[cell])) for cell in CELLS}
        (_, losses), _ = weighted_loss(state.params, chunks, np.zeros(14))
        q = {cell: q[cell] * np.exp(0.5 * losses[places[cell]].mean()) for cell in CELLS}
        q = {cell: value / sum(q.values()) for cell, value in q.items()}
        weights = np.zeros(14)  # the last 2 are not real
        for cell in CELLS:
            weights[places[cell]] = q[cell] / 2
        (value, _), gradient = weighted_loss(state.params, chunks, weights)
        step = plain_step(tx, state.label.optimizer, state.params, value, gradient)
        work = [
            *(("group_losses", chunk) for chunk in chunks),
            ("group_weights", {}),
            *(("label", chunk) for chunk in chunks),
            ("label_update", {}),
        ]
        state, info = run("group_dro", state, work)
        assert_updated(state, state.label, info, "loss", step)
        assert_close(np.exp(state.log_weights), np.array(list(q.values())))
        assert_close([info[f"weight {cell}"] for cell in CELLS], list(q.values()))
        assert not np.any(state.losses)
    assert max(q.values()) > 2 * min(q.values())


def test_weight_decay_of_group_dro():
    """With a gradient of 0, what is left of an update is the decay."""

    def decay(weight_decay, label):
        config = replace(GROUP_DRO, weight_decay=weight_decay)
        method = group_dro(CLASSIFIER, label, config, EVEN, 0)
        state = method.init(initial_params())
        state = state._replace(label=state.label._replace(count=jnp.ones(())))
        for _ in range(2):
            state, _ = method.steps["label_update"](state, {})
            state = state._replace(label=state.label._replace(count=jnp.ones(())))
        kernels = (state.params["classifier"]["kernel"], initial_params()["classifier"]["kernel"])
        return float(1 - (kernels[0] / kernels[1]).mean()) / 0.1

    label = replace(TWO_OF_EACH, weight_decay=0.02, warmup=0.1)
    assert decay(None, label) == pytest.approx(0.02)
    assert decay(0.5, label) == pytest.approx(0.5)


# --- last layer retraining ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["last_layer_retraining", "finetuned_last_layer"])
def test_the_encoder_stays_bit_for_bit(name):
    state = start(name)
    before = jax.tree.map(np.array, state.params)
    is_anew = name == "last_layer_retraining"
    if is_anew:
        state, info = run(name, state, [("zero_head", {})])
        assert info == {} and not any(map(np.any, jax.tree.leaves(state.params["classifier"])))
    chunks = [("head", label_chunk([7, 8, 9])), ("head", label_chunk([10, 11]))]
    for _ in range(2):
        state, info = run(name, state, [*chunks, ("head_update", {})])
    assert set(info) == {"loss", "accuracy", "gradient_norm"}
    heads = state.params.pop("classifier"), before.pop("classifier")
    jax.tree.map(np.testing.assert_array_equal, state.params, before)
    assert np.all(heads[0]["kernel"] != heads[1]["kernel"])


def test_head_update():
    """One update by the mean over five, without dropout, from where finetuning left the head."""
    state = start("finetuned_last_layer")
    tx, five = bert_adam(warmup_linear(0.1, 20)), collate(TRAIN, np.arange(7, 12))
    state, _ = run("finetuned_last_layer", state, [("head", label_chunk([1])), ("head_update", {})])

    def mean_loss(head):
        logits = outputs(state.params | {"classifier": head}, five, None).logits
        return cross_entropy(logits, five["label"]).mean()

    head = state.params["classifier"]
    step = plain_step(tx, state.head.optimizer, head, *jax.value_and_grad(mean_loss)(head))
    work = [("head", label_chunk([7, 8, 9])), ("head", label_chunk([10, 11])), ("head_update", {})]
    after, info = run("finetuned_last_layer", state, work)
    headed = after._replace(params=after.params["classifier"])
    assert_updated(headed, after.head, info, "loss", step)
    assert_close(after.label, state.label)


def test_retraining_reaches_the_optimum():
    """Its second phase, as planned, against BFGS on pooled vectors."""
    rng = np.random.default_rng(4)
    rows = [rng.integers(1, 9, length).astype(np.int32) for length in rng.integers(2, 9, 90)]
    label, confound = (rng.integers(0, n, 90).astype(np.int32) for n in (3, 2))
    train = Dataset(rows, label, confound)
    config = replace(LAST_LAYER, epochs=400, weight_decay=0.0, learning_rate=0.05)
    method = last_layer_retraining(
        CLASSIFIER, replace(LABEL, batch=90, epochs=1, chunk=90), config, train, 0
    )
    work = [w for w in method.plan(train) if w.kind in ("zero_head", "head", "head_update")]
    steps = {kind: jax.jit(method.steps[kind]) for kind in {w.kind for w in work}}
    state, subset = method.init(initial_params()), np.unique(used(work, "head"))
    examples = collate(train, np.sort(subset))
    pooled = outputs(state.params, examples, None).pooled
    for w in work:
        batch = w.arrays | ({} if w.examples is None else {"examples": collate(train, w.examples)})
        state, info = steps[w.kind](state, batch)

    @jax.jit
    @jax.value_and_grad
    def loss(flat):
        kernel, bias = flat[:12].reshape(4, 3), flat[12:]
        return cross_entropy(pooled @ kernel + bias[None], examples["label"]).mean()

    best = scipy.optimize.minimize(loss, np.zeros(15), jac=True, method="BFGS")
    head = state.params["classifier"]
    value, gradient = loss(jnp.concatenate([head["kernel"].ravel(), head["bias"]]))
    zero, _ = loss(jnp.zeros(15))
    assert zero - best.fun > 0.05 and jnp.linalg.norm(gradient) < 1e-3
    assert float(value) == pytest.approx(best.fun, abs=1e-5)
    assert float(info["loss"]) == pytest.approx(best.fun, abs=1e-4)


# --- product of experts -------------------------------------------------------------------------


def prior_by_hand(train, c, classes=3, smoothing=0.5):
    """p(y|c) of visible examples, or p(y) of all."""
    labels = [y for y, d in zip(train.label, train.confound, strict=True) if c in (-1, d)]
    total = len(labels) + smoothing * classes
    return np.array([(labels.count(y) + smoothing) / total for y in range(classes)])


def test_experts_update():
    """Examples 8 and 11 come with p(y): their confounds are hidden."""
    state = start("product_of_experts")
    six = collate(PARTLY_HIDDEN, np.arange(7, 13))
    assert np.flatnonzero(six["confound"] == -1).tolist() == [1, 4]
    priors = np.array([prior_by_hand(PARTLY_HIDDEN, c) for c in six["confound"]])

    def mean_loss(params):
        logits = outputs(params, six, jax.random.key(5)).logits
        likelihoods = jax.nn.softmax(logits) * priors
        right = jnp.take_along_axis(likelihoods, six["label"][:, None], axis=1)[:, 0]
        return -jnp.mean(jnp.log(right / likelihoods.sum(axis=1)))

    chunk = {"examples": six, "is_real": np.ones(6, bool), "dropout": np.uint32(5)}
    after, info = run("product_of_experts", state, [("label", chunk), ("label_update", {})])
    step = plain_step(
        bert_adam(warmup_linear(0.1, 20)),
        state.label.optimizer,
        state.params,
        *jax.value_and_grad(mean_loss)(state.params),
    )
    assert_updated(after, after.label, info, "loss", step)


def test_accuracy_is_the_models_own():
    """Not that of the product, which knows label 2 from the confound."""
    train = Dataset(TRAIN.input_ids, TRAIN.label, (TRAIN.label == 2).astype(np.int32))
    method = product_of_experts(CLASSIFIER, LABEL, ExpertsConfig(smoothing=1e-9), train, 0)
    chunk = label_chunk(np.arange(24), 24, data=train)
    step = jax.jit(method.steps["label_without_dropout"])
    sums = step(method.init(initial_params()), chunk)[0].label.sums
    logits = np.array(outputs(initial_params(), chunk["examples"], None).logits)
    together = np.where(train.confound == 1, 2, logits[:, :2].argmax(axis=1))
    alone = np.sum(logits.argmax(axis=1) == train.label)
    assert float(sums["accuracy"]) == alone < np.sum(together == train.label)


def test_an_expert_that_knows_nothing():
    """Finetuning, where every confound has equally many of each label."""
    method = product_of_experts(CLASSIFIER, LABEL, ExpertsConfig(), EVEN, 0)
    chunk = label_chunk(np.arange(6), 6, data=EVEN)
    state = jax.jit(method.steps["label"])(method.init(initial_params()), chunk)[0]
    expected = compiled("finetuning").steps["label"](start(at_peak=False), chunk)[0]
    assert_close(state, expected)
    assert any(map(np.any, jax.tree.leaves(state.label.gradient)))
