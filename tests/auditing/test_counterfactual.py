"""The counterfactual test of an audit: predictions before and after the confound is swapped."""

from dataclasses import replace

import numpy as np
import pytest

from itune.auditing import AuditConfig
from itune.auditing.counterfactual import run_counterfactual_test
from itune.training import load_model
from tests.helpers.small_audit import make_rows, make_tables, write_table

OTHER = {"acme": "umbrella", "umbrella": "acme"}


def run(folder, tables, **changes):
    model, config = load_model(folder / "model", tables), AuditConfig(chunk=8, **changes)
    parts = model.classifier, model.params, model.encode, tables, config
    return run_counterfactual_test(*parts, np.random.default_rng(0))


@pytest.fixture(scope="module")
def of_rule(folder):
    return run(folder, make_tables(folder))


def test_changed_predictions_are_counted(of_rule):
    assert of_rule.size == 16 and of_rule.split == "test"
    assert of_rule.low <= of_rule.share <= of_rule.high and of_rule.share == of_rule.changed / 16
    assert sum(swap.count for swap in of_rule.swaps) == 16
    assert {(s.confound_before, s.confound_after) for s in of_rule.swaps} == {(1, 2), (2, 1)}
    changed = [s.count for s in of_rule.swaps if s.predicted_before != s.predicted_after]
    assert sum(changed) == of_rule.changed == len(of_rule.examples) > 0


def test_the_confound_alone_is_changed(of_rule):
    for example in of_rule.examples:
        brand, rest = example.before.split(" ", 1)
        assert example.after == f"{OTHER[brand]} {rest}"
        assert example.predicted_before != example.predicted_after


def test_swaps_of_unknown_words_are_not_read(folder, tmp_path):
    rows = [row | {"text": row["text"].replace("acme", "zorg")} for row in make_rows(16)]
    rows += [row | {"text": row["text"].replace("umbrella", "quux")} for row in make_rows(16)]
    unknown = [row for row in rows if row["text"][:4] in ("zorg", "quux")]
    path = write_table(tmp_path / "unknown.csv", unknown)
    found = run(folder, make_tables(folder, train=path, test=None, rule="words:zorg || words:quux"))
    assert (found.size, found.unread) == (0, 16) and np.isnan(found.share) and not found.swaps


def test_words_without_partner_are_left_alone_or_drawn(folder):
    tables = make_tables(folder, rule="words:acme || words:umbrella,brolly,day")
    left, drawn = run(folder, tables), run(folder, tables, unpaired="draw")
    confounds = tables.test.confound
    assert {swap.confound_before for swap in left.swaps} == {2}
    assert left.unpaired == np.sum(confounds == 1) and left.unpaired_words == ("acme",)
    assert left.size + left.unread == np.sum(confounds == 2) and "unpaired='draw'" in left.notes[-1]
    assert drawn.unpaired == 0 and {swap.confound_before for swap in drawn.swaps} == {1, 2}


def test_without_a_rule_there_is_none(folder):
    assert run(folder, make_tables(folder, rule=None, confound="brand", test=None)) is None


def test_a_task_gives_texts_their_other_confound(folder, of_rule):
    def counterpart(text):
        brand, rest = text.split(" ", 1)
        return None if "fine" in rest else f"{OTHER[brand]} {rest}"

    tables = replace(make_tables(folder, rule=None, confound="brand"), counterpart=counterpart)
    found = run(folder, tables)
    assert found.size == sum("fine" not in tables.test.texts(row)[0] for row in range(16))
    assert {(s.confound_before, s.confound_after) for s in found.swaps} == {(0, 1), (1, 0)}
    with_rule = {(e.before, e.after) for e in of_rule.examples}
    assert {(e.before, e.after) for e in found.examples} <= with_rule and found.changed > 0
