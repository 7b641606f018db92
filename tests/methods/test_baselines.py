"""What all baselines that balance, weight or correct by the confound have in common."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from itune.data.dataset import Dataset
from itune.errors import UserError
from itune.methods import METHODS
from itune.training.settings import RunConfig
from tests.helpers.plans import (
    CLASSIFIER,
    LAST_LAYER,
    SCHEDULE,
    SEEN,
    assert_same_plan,
    hide,
    label_batches,
    plan_of,
    used,
)


@pytest.mark.parametrize("name", ["balanced_sampling", "subsampling", "group_dro", "fish", "lisa"])
def test_only_visible_examples(name):
    hidden = np.setdiff1d(np.arange(150), SEEN.visible)
    assert len(hidden) > 30 and not np.isin(used(plan_of(name)), hidden).any()


@pytest.mark.parametrize("name", ["last_layer_retraining", "product_of_experts"])
def test_as_finetuning_on_all_data(name):
    plan, finetuning = plan_of(name), plan_of("finetuning")
    assert_same_plan(plan[: len(finetuning)], finetuning)


@pytest.mark.parametrize(
    "name",
    [
        "balanced_sampling",
        "subsampling",
        "group_dro",
        "last_layer_retraining",
        "product_of_experts",
        "d3m",
        "iffair",
        "fish",
        "lisa",
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

    def test_too_small_a_group_is_an_error(self, name):
        group = np.flatnonzero((SEEN.label == 1) & (SEEN.confound == 2))
        one = ("balanced_sampling", "group_dro", "fish", "lisa")
        least = {"product_of_experts": 0, **dict.fromkeys(one, 1)}.get(name, 2)
        plan_of(name, hide(SEEN, group[least:]))
        if least:
            train, sees = hide(SEEN, group[least - 1 :]), least - 1
            with pytest.raises(UserError, match=f"{name} needs {least} .* y=1 c=2 and sees {sees}"):
                plan_of(name, train)

    def test_a_run_makes_it_of_its_sections(self, name):
        label = replace(SCHEDULE, epochs=1)
        config = RunConfig(label=label, last_layer=replace(LAST_LAYER, epochs=2))
        kinds = Counter(w.kind for w in METHODS[name].make(config, CLASSIFIER, SEEN, 3).plan())
        assert kinds["label_update"] == (12 if name in ("d3m", "iffair") else 6)
        assert kinds["head_update"] == (2 if name == "last_layer_retraining" else 0)
