"""Just train twice: what the first training gets wrong weighs more in the second."""

from collections import Counter
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.data.dataset import collate
from itune.errors import UserError
from itune.groups import groups_of
from itune.influence import cross_entropy
from itune.methods import JttConfig
from itune.methods.finetuning import finetuning
from itune.methods.just_train_twice import just_train_twice
from itune.methods.plans import AVERAGE, RESTART, confounds_read, last_training
from itune.optimizers import bert_adam, warmup_linear
from tests.helpers.plans import SCHEDULE, SEEN, assert_same_plan, hide, plan_of, used
from tests.helpers.tiny_method import (
    LABEL,
    TRAIN,
    TinyMethod,
    assert_close,
    assert_updated,
    expected_update,
    initial_params,
    label_chunk,
    outputs,
)

CONFIG = JttConfig(epochs=2, upweight=5.0)
HIDDEN = hide(TRAIN, [3, 8])
JTT = TinyMethod(just_train_twice, LABEL, CONFIG, train=HIDDEN)


def row_chunk(rows, size=4, seed=0):
    chunk = label_chunk(rows, size, seed, data=HIDDEN)
    padded = [*rows, *[rows[0]] * (size - len(rows))]
    return chunk | {"rows": np.array(padded, np.int32)}


def marked_at(rows):
    return jnp.asarray(np.isin(np.arange(24), rows))


def without_rows(plan):
    """The plan without the indices of examples, which are as they should be."""
    for work in plan:
        if work.examples is not None:
            np.testing.assert_array_equal(work.arrays["rows"], work.examples)
    return [
        w._replace(arrays={k: v for k, v in w.arrays.items() if k != "rows"}, step=0) for w in plan
    ]


def test_the_plan():
    """Two epochs of finetuning without evaluations, marks of all rows, and finetuning again."""
    plan = plan_of("just_train_twice", label=SCHEDULE, jtt=CONFIG)
    expected = [work._replace(step=0) for work in plan_of("finetuning", label=SCHEDULE)]
    assert_same_plan(without_rows(last_training(plan)), expected)
    first, steps = plan[: -len(expected) - 1], [work.step for work in plan]
    marks = [work for work in first if work.kind == "mark_wrong"]
    epochs = [work for work in expected[: len(expected) * 2 // 3] if not work.note]
    assert_same_plan(without_rows(first[: -len(marks)]), epochs)
    assert Counter(used(marks, "mark_wrong").tolist()) == Counter(range(150))
    assert steps == sorted(steps) and {work.step for work in marks} == {12} and steps[-1] == 30
    assert plan[len(first)].kind == RESTART and confounds_read(plan, SEEN) == 0


def test_marks_are_the_wrong_answers():
    state = JTT.initial()
    examples = collate(HIDDEN, np.arange(24))
    logits = np.array(outputs(state.params, examples, None).logits)
    is_wrong = logits.argmax(axis=1) != HIDDEN.label
    assert 3 < is_wrong.sum() < 21
    before = state
    for rows in ([0, 5, 9], [1, 2, 3, 4], [7, 6, 8], range(10, 14)):
        state, info = JTT.run(state, [("mark_wrong", row_chunk(list(rows)))])
    assert info == {}
    np.testing.assert_array_equal(state.marked[:14], is_wrong[:14])
    assert not np.any(state.marked[14:])
    assert_close(before._replace(marked=state.marked), state)


def test_padding_marks_nothing():
    """Not even its own row, which it repeats."""
    chunk = row_chunk([5]) | {"rows": np.array([5, 6, 7, 8], np.int32)}
    state, _ = JTT.run(JTT.initial()._replace(marked=marked_at([6])), [("mark_wrong", chunk)])
    np.testing.assert_array_equal(state.marked[6:], marked_at([6])[6:])


def test_the_restart():
    """Bit for bit from the start, with fresh moments; counts leave out what they cannot see."""
    state = JTT.run(JTT.initial(), [("label", row_chunk([0, 1])), ("label_update", {})])[0]
    state = JTT.run(state, [("label", row_chunk([2, 3])), ("label_update", {})])[0]
    marked = marked_at([3, 8, 10, 11, 12])
    assert np.any(state.params["classifier"]["kernel"] != state.start["classifier"]["kernel"])
    after, info = JTT.run(state._replace(marked=marked), [(RESTART, {})])
    expected = JTT.initial()._replace(marked=marked)
    jax.tree.map(np.testing.assert_array_equal, after, expected)
    jax.tree.map(np.testing.assert_array_equal, after.params, initial_params())
    seen = Counter(zip(TRAIN.label[10:13].tolist(), TRAIN.confound[10:13].tolist(), strict=True))
    counts = {f"marked y={y} c={c}": float(n) for (y, c), n in seen.items()}
    found = {name: float(value) for name, value in info.items() if value}
    assert found == counts | {"marked": 5.0}
    visible = np.setdiff1d(np.arange(24), [3, 8])
    groups = groups_of(TRAIN.label[visible], TRAIN.confound[visible])
    assert info.keys() == {"marked", *(f"marked {group}" for group in groups)}


def test_a_weighted_update():
    """4 of 24 rows are marked, so weights are 5 and 1 over their mean, 40 / 24."""
    marked = np.isin(np.arange(24), [7, 9, 20, 21])
    state = JTT.run(JTT.initial(), [("label", row_chunk([0, 1])), ("label_update", {})])[0]
    state = state._replace(marked=jnp.asarray(marked))
    weights = np.where(marked, 5.0, 1.0) * 24 / 40
    five = collate(HIDDEN, np.arange(7, 12))

    def mean_loss(params):
        logits = outputs(params, five, None).logits
        return jnp.mean(weights[7:12] * cross_entropy(logits, five["label"]))

    kind = "label_without_dropout"
    work = [(kind, row_chunk([7, 8, 9])), (kind, row_chunk([10, 11])), ("label_update", {})]
    after, info = JTT.run(state, work)
    expected = expected_update(
        bert_adam(warmup_linear(0.1, 20)),
        state.label.optimizer,
        state.params,
        jax.jit(jax.value_and_grad(mean_loss))(state.params),
    )
    assert_updated(after.params, after.label, info, "loss", expected)


def trained(method):
    return method.run_planned(method.method.plan())


def test_a_weight_of_1_is_finetuning():
    jtt = TinyMethod(just_train_twice, LABEL, replace(CONFIG, upweight=1.0))
    state, expected = trained(jtt), trained(TinyMethod(finetuning, LABEL))
    assert np.any(state.marked) and not np.all(state.marked)
    assert_close((state.params, state.label), (expected.params, expected.label))


def test_other_weights_are_not():
    jtt = TinyMethod(just_train_twice, LABEL, CONFIG)
    kernels = [
        trained(method).params["classifier"]["kernel"]
        for method in (jtt, jtt, TinyMethod(finetuning, LABEL))
    ]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert np.abs(kernels[0] - kernels[2]).max() > 0.01


def test_averages_are_of_the_second_training():
    plan = plan_of("just_train_twice", label=replace(SCHEDULE, average=0.9), jtt=CONFIG)
    averages = [work.step for work in plan if work.kind == AVERAGE]
    assert averages == list(range(12 + 18 - 16, 12 + 18))


def test_a_first_training_longer_than_the_second_is_refused():
    with pytest.raises(UserError, match=r"^jtt.epochs is 4 but .* 3; set jtt.epochs to 3 or less"):
        plan_of("just_train_twice", label=SCHEDULE, jtt=replace(CONFIG, epochs=4))
