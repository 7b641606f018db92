"""What tests of baselines share: data whose groups differ in size, and plans made of them."""

from collections import Counter
from dataclasses import replace

import numpy as np

from itune.methods import (
    ExpertsConfig,
    GroupDroConfig,
    LabelConfig,
    LastLayerConfig,
    balanced_sampling,
    finetuning,
    group_dro,
    last_layer_retraining,
    product_of_experts,
    subsampling,
)
from tests.helpers.method_cases import CLASSIFIER, assert_same_plan, hide, make_dataset, real

SCHEDULE = LabelConfig(epochs=3, batch=25, chunk=4)
BIG = make_dataset(150)
SKEWED = hide(BIG, np.flatnonzero((BIG.label == 1) & (BIG.confound == 2))[3:])  # 3 of a group
SEEN = hide(SKEWED, np.flatnonzero(BIG.label == 0)[:20])
LAST = LastLayerConfig(epochs=4)


def method_of(name, train=SEEN, label=SCHEDULE, seed=1, **settings):
    if name == "balanced_sampling":
        return balanced_sampling(CLASSIFIER, label, train, seed)
    if name == "subsampling":
        return subsampling(CLASSIFIER, label, train, seed)
    factory, config = {
        "group_dro": (group_dro, GroupDroConfig()),
        "last_layer_retraining": (last_layer_retraining, LAST),
        "product_of_experts": (product_of_experts, ExpertsConfig()),
    }[name]
    return factory(CLASSIFIER, label, replace(config, **settings), train, seed)


def plan_of(name, train=SEEN, **changes):
    return method_of(name, train, **changes).plan()


def group_counts(batch, train=SEEN):
    return Counter(zip(train.label[batch].tolist(), train.confound[batch].tolist(), strict=True))


def visible_counts(train):
    return group_counts(train.visible, train)


def used(plan, kind="label"):
    return np.concatenate([real(work) for work in plan if work.kind == kind])


def assert_as_many_steps_as_finetuning(plan):
    plain = finetuning(CLASSIFIER, SCHEDULE, SEEN, 1).plan()
    kinds = ("label_update", "cid", "accuracy")
    assert_same_plan(*([w for w in p if w.kind in kinds] for p in (plan, plain)))
    assert Counter(w.kind for w in plan)["label_update"] == 3 * (150 // 25)
