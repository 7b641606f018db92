"""Data whose groups differ in size, plans made of them, and what plans are compared by."""

from collections import Counter

import numpy as np

from itune.data.dataset import HIDDEN, Dataset
from itune.influence import LinenLoss
from itune.methods import METHODS, Classifier, LabelConfig, LastLayerConfig
from itune.training.settings import TrainingConfig

CLASSIFIER = Classifier(LinenLoss(None, None), None)  # plans never call it


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


BIG = make_dataset(150)
SKEWED = hide(BIG, np.flatnonzero((BIG.label == 1) & (BIG.confound == 2))[3:])  # 3 of a group
SEEN = hide(SKEWED, np.flatnonzero(BIG.label == 0)[:20])
SCHEDULE = LabelConfig(epochs=3, batch=25, chunk=4)  # 18 label steps on 150 examples
LAST_LAYER = LastLayerConfig(epochs=4)


def plan_of(name, train=SEEN, seed=1, **sections):
    """The plan of a method by its name, with sections of the configuration."""
    config = TrainingConfig(**{"label": SCHEDULE, "last_layer": LAST_LAYER, **sections})
    return METHODS[name].make(config, CLASSIFIER, train, seed).plan()


def real(work):
    """The examples (or tuples) of a piece of work that count."""
    return work.examples[work.arrays["is_real"]]


def used(plan, kind="label"):
    """The examples of all work of a kind, as often as they are used."""
    return np.concatenate([real(work) for work in plan if work.kind == kind])


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


def group_counts(examples, train=SEEN):
    """How many of the examples there are of each group, by (label, confound)."""
    return Counter(
        zip(train.label[examples].tolist(), train.confound[examples].tolist(), strict=True)
    )


def visible_counts(train):
    return group_counts(train.visible, train)


def assert_same_plan(left, right):
    assert [(w.kind, w.step, w.note, w.cost) for w in left] == [
        (w.kind, w.step, w.note, w.cost) for w in right
    ]
    for a, b in zip(left, right, strict=True):
        assert a.arrays.keys() == b.arrays.keys()
        for name in a.arrays:
            np.testing.assert_array_equal(a.arrays[name], b.arrays[name])
        np.testing.assert_array_equal(a.examples, b.examples)


def assert_as_many_steps_as_finetuning(plan):
    kinds = ("label_update", "cid", "accuracy")
    plans = plan, plan_of("finetuning")
    assert_same_plan(*([w for w in p if w.kind in kinds] for p in plans))
    assert Counter(w.kind for w in plan)["label_update"] == 3 * (150 // 25)
