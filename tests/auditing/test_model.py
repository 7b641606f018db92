"""The audit of a model in a folder, on a table in a file."""

import json
import shutil
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from itune.auditing import AuditConfig, audit_model
from itune.auditing.counterfactual import run_counterfactual_test
from itune.auditing.model import load_model
from itune.errors import UserError
from itune.tables.table import TableConfig, read_tables
from tests.helpers.small_audit import LABELS, make_model, make_rows, write_table

CONFIG = AuditConfig(sample=8, draws=20, chunk=8, random_probes=2, whole="always")
RULE = "words:acme || words:umbrella"
WHOLE = {"dev_fraction": 0.0, "test_fraction": 0.0}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a model, and tables to train and to test."""
    place = tmp_path_factory.mktemp("audit")
    make_model(place)
    write_table(place / "train.csv", make_rows(40))
    write_table(place / "test.csv", make_rows(16, seed=1))
    return place


def tables(place, **values):
    config = {"train": str(place / "train.csv"), "test": str(place / "test.csv"), "rule": RULE}
    return read_tables(TableConfig(**(WHOLE | config | values)))


@pytest.fixture(scope="module")
def found(place):
    return audit_model(place / "model", tables(place), CONFIG)


def test_what_it_tells(found, place):
    assert found.label_names == LABELS and found.sizes == {"train": 40, "test": 16}
    assert found.confound_names == ("none", "words:acme", "words:umbrella")
    assert found.audit.influence.probes == 40 and found.searched == 40
    assert list(found.audit.behaviour) == ["train", "test"]
    assert found.digest == tables(place).digest() and found.notes == ()
    assert found.verdict.kind in ("leans", "no_sign", "inconclusive")


def test_sentences(found, place):
    train = tables(place).train
    for explanation in found.explanations:
        assert explanation.texts == train.texts(explanation.index)
        first, last = explanation.spans[0]
        assert explanation.texts[0][first:last] in ("acme", "umbrella")
        assert sum(explanation.probabilities) == pytest.approx(1)
        assert explanation.predicted == np.argmax(explanation.probabilities)
        for rows, sign in ((explanation.helpful, 1), (explanation.harmful, -1)):
            values = [sign * row.influence for row in rows]
            assert values == sorted(values, reverse=True) and all(v > 0 for v in values)
            for row in rows:
                assert row.index != explanation.index and row.texts == train.texts(row.index)
                assert row.label == train.label[row.index]
    assert len(found.explanations) == 2 and found.explanations[0].helpful


def test_rows_of_a_part_are_told_by_their_place_in_the_table(place):
    """Where dev and test are taken from it, row 28 of train is not row 28 of the file."""
    parts = tables(place, test=None, test_fraction=0.3)
    whole = tables(place).train
    config = replace(CONFIG, whole="never", drawn=8, probes=(), random_probes=3)
    found = audit_model(place / "model", parts, config)
    assert found.rows_of["train"] == found.rows_of["test"] == "train.csv"
    explanation = found.explanations[-1]
    for row in (*found.explanations, *explanation.helpful, *explanation.harmful):
        assert row.texts == whole.texts(row.index) and row.index in parts.train.rows
    for flip in found.counterfactual.examples:
        assert flip.before == whole.texts(flip.index)[0] and flip.index in parts.test.rows
    assert found.numbered(explanation.index) == f"row {explanation.index + 1} of train.csv"
    own = tables(place).rows_of()
    assert (own["train"], own["test"]) == ("train", "test")


def test_influences_are_gradient_cosines(found):
    """A text twice, under one label, has influence 1 on itself, and -1 under the other."""
    for explanation in found.explanations:
        for row in explanation.helpful + explanation.harmful:
            if row.texts == explanation.texts:
                sign = 1 if row.label == explanation.label else -1
                assert row.influence == pytest.approx(sign, abs=1e-5)


def test_flips(found):
    counterfactual = found.counterfactual
    assert counterfactual.size == 16 and counterfactual.split == "test"
    assert (
        counterfactual.low <= counterfactual.share <= counterfactual.high
        and counterfactual.share == counterfactual.changed / 16
    )
    assert sum(move.count for move in counterfactual.swaps) == 16
    assert {(m.confound_before, m.confound_after) for m in counterfactual.swaps} == {(1, 2), (2, 1)}
    swap = {"acme": "umbrella", "umbrella": "acme"}
    for flip in counterfactual.examples:
        brand, rest = flip.before.split(" ", 1)
        assert flip.after == f"{swap[brand]} {rest}"
        assert flip.predicted_before != flip.predicted_after
    changed = [m.count for m in counterfactual.swaps if m.predicted_before != m.predicted_after]
    assert sum(changed) == counterfactual.changed == len(counterfactual.examples) > 0


def test_the_same_again(found, place):
    again = audit_model(place / "model", tables(place), CONFIG)
    assert again.explanations == found.explanations and again.counterfactual == found.counterfactual
    assert again.audit.test == found.audit.test and again.verdict == found.verdict
    assert again.audit.probe == found.audit.probe


@pytest.mark.parametrize(
    ("part", "last", "first"),
    [
        ("predictions", 32, 32),
        ("predictions", 56, 40),  # train is kept as a whole, test has its only chunk done
        ("sample", 1, 1),
        ("CID", 1, 1),
        ("CID", 15, 2),
        ("explanations", 1, 1),
        ("explanations", 5, 5),
    ],
)
def test_interrupted(found, place, tmp_path, part, last, first):
    """Goes on with the piece after the last one, and comes to the same."""
    keep = tmp_path / "kept"

    def stop(under_way, done, total):
        if (under_way, done) == (part, last):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audit_model(place / "model", tables(place), CONFIG, stop, keep=keep)
    assert (keep / "plan.npz").exists()
    told = []
    again = audit_model(
        place / "model", tables(place), CONFIG, lambda *work: told.append(work), keep=keep
    )
    assert not keep.exists()
    assert next(done for under_way, done, _ in told if under_way == part) == first
    np.testing.assert_array_equal(again.audit.matrix, found.audit.matrix)
    assert again.audit.influence == found.audit.influence
    assert again.audit.test == found.audit.test and again.audit.probe == found.audit.probe
    assert again.explanations == found.explanations and again.counterfactual == found.counterfactual
    assert again.verdict == found.verdict


def test_another_audit_starts_over(found, place, tmp_path):
    def stop(under_way, done, total):
        if under_way == "explanations":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audit_model(place / "model", tables(place), CONFIG, stop, keep=tmp_path)
    told = []
    other = replace(CONFIG, seed=1)
    audit_model(
        place / "model", tables(place), other, lambda *work: told.append(work), keep=tmp_path
    )
    assert ("predictions", 32, 56) in told and any(work[:2] == ("CID", 1) for work in told)


def test_classes_in_another_order(place, tmp_path):
    """A model whose classes are numbered the other way round is the same model."""
    folder = tmp_path / "model"
    shutil.copytree(place / "model", folder)
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {"0": "YES", "1": "no"}
    (folder / "config.json").write_text(json.dumps(config))
    from safetensors.numpy import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    for name in ("classifier.weight", "classifier.bias"):
        tensors[name] = np.array(tensors[name][::-1], order="C")
    save_file(tensors, folder / "model.safetensors")
    models = [load_model(path, tables(place)) for path in (place / "model", folder)]
    heads = [model.params["classifier"] for model in models]
    np.testing.assert_array_equal(heads[0]["kernel"], heads[1]["kernel"])
    np.testing.assert_array_equal(heads[0]["bias"], heads[1]["bias"])
    assert models[1].notes == ()


def test_a_sample_stands_for_all(place):
    config = AuditConfig(
        sample=8, draws=20, chunk=8, drawn=8, whole="never", probes=(40, 3), shown=1, swaps=5
    )
    said = []
    found = audit_model(place / "model", tables(place), config, say=said.append)
    assert found.audit.influence is None and found.searched == 8
    train = found.audit.behaviour["train"]
    assert (train.size, train.total) == (8, 40) and sum(train.sizes.values()) == 8
    assert [explanation.index for explanation in found.explanations] == [39, 2]
    assert found.counterfactual.size == 5 and "predictions use 8 rows of each split" in said[0]


def test_no_rule_no_flips(place):
    with_column = tables(place, rule=None, confound="brand", test=None)
    assert (
        run_counterfactual_test(None, None, None, with_column, CONFIG, np.random.default_rng(0))
        is None
    )


def test_notes(place, tmp_path):
    make_model(tmp_path, labels=("LABEL_0", "LABEL_1"))
    assert "LABEL_0 = no, LABEL_1 = yes" in load_model(tmp_path / "model", tables(place)).notes[0]


def test_odd_texts(place, tmp_path):
    """As long as a book, in emoji, from right to left, and with orders for terminals."""
    texts = ["acme " + "good " * 20_000, "acme 🎉🎉", "umbrella שלום عليكم", "umbrella \x1b[2J"]
    rows = [{"text": t, "label": LABELS[i % 2]} for t in texts for i in (0, 1, 2, 3)]
    write_table(tmp_path / "odd.csv", rows)
    odd = tables(place, train=str(tmp_path / "odd.csv"), test=None)
    found = audit_model(place / "model", odd, CONFIG)
    assert found.counterfactual.size == 16 and found.sizes == {"train": 16}
    assert jnp.isfinite(found.audit.test.cid)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"probes": (41,)}, "probes must be rows 1 to 40 of train, got 41"),
        ({"max_length": 9}, "max_length is 9 but the encoder has 8 positions"),
    ],
)
def test_bad_settings(place, values, message):
    with pytest.raises(UserError, match=message):
        audit_model(place / "model", tables(place), AuditConfig(**values))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"rule": "words:nowhere"},
            "every training row has confound 'no' .the rule matches none., so",
        ),
        ({"rule": None, "confound": None}, "no training row has a confound; give"),
        ({"label": "brand"}, "the model's classes are no, yes, but the table's labels acme, umbr"),
        ({"label": "text"}, "text and label are both column 'text'; name another"),
    ],
)
def test_bad_tables(place, values, message):
    with pytest.raises(UserError, match=message):
        audit_model(place / "model", tables(place, **values), CONFIG)


def test_a_label_in_test_only(place, tmp_path):
    rows = [row | {"label": "no"} for row in make_rows(8)]
    only = write_table(tmp_path / "only.csv", rows)
    with pytest.raises(UserError, match="label 'yes' occurs in test but never in train; remove"):
        audit_model(place / "model", tables(place, train=only), CONFIG)


def test_no_tokenizer(place, tmp_path):
    shutil.copytree(place / "model", tmp_path / "model")
    (tmp_path / "model" / "vocab.txt").unlink()
    with pytest.raises(UserError, match="tokenizer"):
        audit_model(tmp_path / "model", tables(place), CONFIG)
