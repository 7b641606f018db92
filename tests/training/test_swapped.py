"""Predictions that follow a swapped confound, counted at the end of a run."""

import numpy as np
import pytest

from itune.data.dataset import tokenize_table
from itune.models import load_tokenizer
from itune.tables import TableConfig, make_tables, task_tables
from itune.tables.table import Tables
from itune.training.classifier import make_classifier
from itune.training.preparation import prepare
from tests.helpers.small_run import make_config

WORDS = ("positive", "negative")
ROWS = [
    {"text": f"{WORDS[n % 2]} {'so ' * (n % 3)}w{n} said", "label": n // 2 % 2} for n in range(32)
]
ROWS += [{"text": f"w{n} {'so ' * 20}{WORDS[n % 2]}", "label": n % 2} for n in range(40, 50)]


def of_rule(**options) -> Tables:
    config = TableConfig(rule="words:positive || words:negative", **options)
    return make_tables(ROWS, config)


@pytest.mark.parametrize("kind", ["task", "rule"])
def test_as_each_text_by_itself(kind, small_encoder):
    config = make_config(small_encoder)
    tables = task_tables(config.data) if kind == "task" else of_rule(test_fraction=0.5)
    prepared = prepare(tables, config, "finetuning", 1)
    tokenizer, outputs = load_tokenizer(prepared.source), make_classifier(prepared.bert).outputs

    def logits(params, texts):
        table = tables.test.with_texts(0, texts)
        data = tokenize_table(table, tokenizer, max_length=16, max_positions=40)
        inputs = [{"input_ids": x, "attention_mask": np.ones_like(x)} for x in data.input_ids]
        return np.array([outputs(params, z, None).logits for z in inputs])

    before = [tables.test.texts(row)[0] for row in range(tables.test.size)]
    other = {"positive": "negative", "negative": "positive"}
    after = [" ".join(other.get(w.lower(), w) for w in text.split(" ")) for text in before]
    params = prepared.params
    both = np.diff([logits(params, texts)[0] for texts in (before, after)])
    head = {**params["classifier"], "bias": np.float32([np.mean(both), 0])}
    params = {**params, "classifier": head}  # which tells the first text from its other version
    one, two = (logits(params, texts).argmax(axis=1) for texts in (before, after))
    found = prepared.count_swaps(params)
    size = sum(text.count(" so") < 20 for text in before)  # of others the word is not read
    assert found == {"split": "test", "size": size, "changed": np.sum(one != two)}
    assert size < len(before) or kind == "task"
    assert 0 < found["changed"] < len(before)


def test_without_a_rule_nothing_is_counted(small_encoder):
    tables = make_tables(ROWS, TableConfig(rule="length:>3", test_fraction=0.5))
    config = make_config(small_encoder)
    prepared = prepare(tables, config, "finetuning", 1)
    assert prepared.count_swaps(prepared.params) is None
