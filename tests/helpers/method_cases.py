"""What tests of methods share: a tiny classifier, its data, and what plans and updates must be."""

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn

from itune.data.dataset import HIDDEN, Dataset, collate
from itune.influence import LinenLoss, cross_entropy
from itune.methods import (
    AdversarialConfig,
    Classifier,
    EmbeddingConfig,
    ExpertsConfig,
    GroupDroConfig,
    InfluenceConfig,
    LabelConfig,
    LastLayerConfig,
    adversarial,
    embedding_tuning,
    finetuning,
    finetuning_with_resets,
    group_dro,
    influence_tuning,
    last_layer_retraining,
    product_of_experts,
)

# --- plans --------------------------------------------------------------------------------------


def make_dataset(size, seed=0):
    rng = np.random.default_rng(seed)
    label, confound = (rng.integers(0, classes, size).astype(np.int32) for classes in (2, 3))
    lengths = rng.integers(3, 12, size)
    return Dataset([np.ones(length, np.int32) for length in lengths], label, confound)


def hide(train, indices):
    """The data with the confounds of some examples hidden."""
    confound = train.confound.copy()
    confound[indices] = HIDDEN
    return Dataset(train.input_ids, train.label, confound)


def real(work):
    """The examples (or tuples) of a piece of work that count."""
    return work.examples[work.arrays["is_real"]]


def label_batches(plan):
    """The examples of every label update, sorted; chunks reorder them."""
    batches, batch = [], []
    for work in plan:
        if work.kind in ("label", "label_without_dropout"):
            batch.extend(real(work).tolist())
        elif work.kind == "label_update":
            batches.append(sorted(batch))
            batch = []
    assert not batch
    return batches


def assert_same_plan(left, right):
    assert [(w.kind, w.step, w.note, w.cost) for w in left] == [
        (w.kind, w.step, w.note, w.cost) for w in right
    ]
    for a, b in zip(left, right, strict=True):
        assert a.arrays.keys() == b.arrays.keys()
        for name in a.arrays:
            np.testing.assert_array_equal(a.arrays[name], b.arrays[name])
        np.testing.assert_array_equal(a.examples, b.examples)


# --- steps --------------------------------------------------------------------------------------

TOLERANCE = 1e-10  # sums in another order, in float64


class BagOutput(NamedTuple):
    logits: jax.Array
    pooled: jax.Array


class Bag(nn.Module):
    """A bag of word vectors, with dropout."""

    @nn.compact
    def __call__(self, input_ids, attention_mask, *, deterministic=True):
        words = nn.Embed(9, 4, param_dtype=jnp.float64)(input_ids)
        mean = (words * attention_mask[..., None]).sum(axis=-2) / attention_mask.sum()
        pooled = nn.Dropout(0.5)(jnp.tanh(mean), deterministic=deterministic)
        return BagOutput(nn.Dense(3, param_dtype=jnp.float64, name="classifier")(pooled), pooled)


def loss_of(apply, example):
    mask = example["attention_mask"].astype(jnp.float64)
    return cross_entropy(apply(example["input_ids"], mask).logits, example["label"])


def outputs(params, examples, key):
    def one(example, key):
        rngs = None if key is None else {"dropout": key}
        mask = example["attention_mask"].astype(jnp.float64)
        return Bag().apply(
            {"params": params}, example["input_ids"], mask, deterministic=key is None, rngs=rngs
        )

    keys = None if key is None else jax.random.split(key, len(examples["label"]))
    return jax.vmap(one, (0, None if key is None else 0))(examples, keys)


def mean_label_loss(params, examples, key=None):
    return cross_entropy(outputs(params, examples, key).logits, examples["label"]).mean()


CLASSIFIER = Classifier(LinenLoss(Bag(), loss_of), outputs, width=4)
RNG = np.random.default_rng(0)
TRAIN = Dataset(
    [RNG.integers(1, 9, length).astype(np.int32) for length in RNG.integers(2, 9, 24)],
    RNG.integers(0, 3, 24).astype(np.int32),
    RNG.integers(0, 2, 24).astype(np.int32),
)
LABEL = LabelConfig(epochs=5, batch=6, learning_rate=0.1)  # rate 0 at first, then the peak
TWO_OF_EACH = replace(LABEL, batch=12)
EVEN = Dataset(  # 4 of each of 6 groups
    TRAIN.input_ids,
    *(np.arange(24, dtype=np.int32) // step % size for step, size in ((1, 3), (3, 2))),
)
PARTLY_HIDDEN = hide(TRAIN, [8, 11, 20])
INFLUENCE = InfluenceConfig(k=2, learning_rate=0.03, clip=0.02)
EMBEDDING = EmbeddingConfig(k=2, learning_rate=0.03, clip=0.02)
ADVERSARIAL = AdversarialConfig(epochs=5, learning_rate=0.1, reversal=0.3)
GROUP_DRO = GroupDroConfig(step_size=0.5)
LAST_LAYER = LastLayerConfig(epochs=5, learning_rate=0.1)
EXPERTS = ExpertsConfig(smoothing=0.5)


class Compiled(NamedTuple):
    method: NamedTuple
    steps: dict


METHODS = {
    "finetuning": lambda: finetuning(CLASSIFIER, LABEL, TRAIN, 0),
    "finetuning_with_resets": lambda: finetuning_with_resets(
        CLASSIFIER, LABEL, INFLUENCE, TRAIN, 0
    ),
    "influence_tuning": lambda: influence_tuning(CLASSIFIER, LABEL, INFLUENCE, TRAIN, 0),
    "pooled": lambda: influence_tuning(
        CLASSIFIER, LABEL, replace(INFLUENCE, partners="pooled"), TRAIN, 0
    ),
    "embedding_tuning": lambda: embedding_tuning(CLASSIFIER, LABEL, EMBEDDING, TRAIN, 0),
    "adversarial": lambda: adversarial(CLASSIFIER, LABEL, ADVERSARIAL, TRAIN, 0),
    "group_dro": lambda: group_dro(CLASSIFIER, TWO_OF_EACH, GROUP_DRO, EVEN, 0),
    "last_layer_retraining": lambda: last_layer_retraining(CLASSIFIER, LABEL, LAST_LAYER, EVEN, 0),
    "finetuned_last_layer": lambda: last_layer_retraining(
        CLASSIFIER, LABEL, replace(LAST_LAYER, start="finetuned"), EVEN, 0
    ),
    "product_of_experts": lambda: product_of_experts(CLASSIFIER, LABEL, EXPERTS, PARTLY_HIDDEN, 0),
}


@cache
def compiled(name):
    method = METHODS[name]()
    return Compiled(method, {kind: jax.jit(step) for kind, step in method.steps.items()})


@cache
def initial_params():
    shapes = jax.eval_shape(Bag().init, jax.random.key(0), jnp.zeros(3, int), jnp.ones(3))
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), shapes["params"])


def start(name="finetuning", *, at_peak=True):
    """A fresh state; ``at_peak`` after two updates, where the rate is not 0 and moments are not."""
    method, steps = compiled(name)
    state = method.init(initial_params())
    for indices in ([0, 1, 2], [3, 4, 5]) if at_peak else ():
        kind = "label" if name == "adversarial" else "label_without_dropout"
        state, _ = steps[kind](state, label_chunk(indices))
        state, _ = steps["label_update"](state, {})
    return state


def label_chunk(indices, size=3, seed=0, data=TRAIN):
    """A chunk as a plan makes it: filled up by an example that is not real."""
    indices = np.array(indices)
    is_real = np.arange(size) < len(indices)
    rows = np.concatenate([indices, np.repeat(indices[:1], size - len(indices))])
    return {
        "is_real": is_real,
        "dropout": np.uint32(seed),
        "examples": collate(data, rows),
    }


def run(name, state, kinds_and_batches):
    info = {}
    for kind, batch in kinds_and_batches:
        assert info == {}  # only updates have something to log
        state, info = compiled(name).steps[kind](state, batch)
    return state, info


def assert_close(actual, expected):
    def compare(a, b):
        np.testing.assert_allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE)

    jax.tree.map(compare, actual, expected)


def plain_step(tx, optimizer, params, value, gradient):
    updates, optimizer = tx.update(gradient, optimizer, params)
    norm = jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(gradient)))
    return optax.apply_updates(params, updates), optimizer, value, norm


def assert_updated(state, phase, info, name, expected):
    params, optimizer, value, norm = expected
    assert_close((state.params, phase.optimizer), (params, optimizer))
    assert_close((info[name], info["gradient_norm"]), (value, norm))
    collected = (phase.gradient, phase.sums, phase.count)
    assert all(not np.any(leaf) for leaf in jax.tree.leaves(collected))
