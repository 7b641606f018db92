"""The audit of a model in a folder, on a table in a file."""

import json
import shutil
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from itune.auditing import AuditConfig
from itune.auditing.model import audit_model
from itune.auditing.truncation import Truncation, measure_truncation
from itune.errors import UserError
from itune.predictor import Predictor
from itune.training import load_model
from tests.helpers.small_audit import LABELS, make_model, make_rows, make_tables, write_table

CONFIG = AuditConfig(sample=8, draws=20, chunk=8, random_probes=2, whole="always")


@pytest.fixture(scope="module")
def result(folder):
    return audit_model(folder / "model", make_tables(folder), CONFIG)


def test_the_result_names_the_data(result, folder):
    assert result.label_names == LABELS and result.sizes == {"train": 40, "test": 16}
    assert result.confound_names == ("none", "words:acme", "words:umbrella")
    assert result.audit.influence.probes == 40 and result.searched == 40
    assert list(result.audit.behaviour) == ["train", "test"]
    assert result.digest == make_tables(folder).digest() and result.notes == ()
    assert result.verdict.kind in ("leans", "no_sign", "inconclusive")


def test_explanations_show_rows_of_the_table(result, folder):
    train = make_tables(folder).train
    for explanation in result.explanations:
        assert explanation.texts == train.texts(explanation.index)
        first, last = explanation.spans[0]
        assert explanation.texts[0][first:last] in ("acme", "umbrella")
        assert sum(explanation.probabilities) == pytest.approx(1)
        assert explanation.predicted == np.argmax(explanation.probabilities)
    assert len(result.explanations) == 2


def test_helpful_rows_have_influence_above_0_and_harmful_below(result, folder):
    train = make_tables(folder).train
    for explanation in result.explanations:
        for rows, sign in ((explanation.helpful, 1), (explanation.harmful, -1)):
            values = [sign * row.influence for row in rows]
            assert values == sorted(values, reverse=True) and all(v > 0 for v in values)
            for row in rows:
                assert row.index != explanation.index and row.texts == train.texts(row.index)
                assert row.label == train.label[row.index]
    assert result.explanations[0].helpful


def test_rows_of_a_split_are_counted_in_the_table(folder):
    """If dev and test are parts of the table, row 28 of train is not row 28 of the file."""
    parts = make_tables(folder, test=None, test_fraction=0.3)
    whole = make_tables(folder).train
    config = replace(CONFIG, whole="never", drawn=8, probes=(), random_probes=3)
    result = audit_model(folder / "model", parts, config)
    assert result.rows_of["train"] == result.rows_of["test"] == "train.csv"
    explanation = result.explanations[-1]
    for row in (*result.explanations, *explanation.helpful, *explanation.harmful):
        assert row.texts == whole.texts(row.index) and row.index in parts.train.rows
    for example in result.counterfactual.examples:
        assert example.before == whole.texts(example.index)[0]
        assert example.index in parts.test.rows
    assert result.numbered(explanation.index) == f"row {explanation.index + 1} of train.csv"
    own = make_tables(folder).rows_of()
    assert (own["train"], own["test"]) == ("train", "test")


def test_influences_are_gradient_cosines(result):
    """A text twice, under one label, has influence 1 on itself, and -1 under the other."""
    for explanation in result.explanations:
        for row in explanation.helpful + explanation.harmful:
            if row.texts == explanation.texts:
                sign = 1 if row.label == explanation.label else -1
                assert row.influence == pytest.approx(sign, abs=1e-5)


@pytest.fixture(scope="module")
def long(folder, tmp_path_factory):
    """Rows of 2 words, and of more than the 6 that are read, whose brand is read or is not."""
    texts = ["acme good", "umbrella day", *["acme" + " fine" * 6, "umbrella" + " fine" * 6]]
    texts += ["good" + " fine" * 5 + " acme", "umbrella" + " fine" * 6]
    texts += [" ".join(["poor"] * 6 + [brand, "acme"]) for brand in ("acme", "umbrella")]
    rows = [{"text": text, "label": LABELS[i % 2]} for text in texts for i in range(4)]
    path = write_table(tmp_path_factory.mktemp("long") / "long.csv", rows)
    return make_tables(folder, train=path, test=None)


def test_what_is_not_read_is_counted(folder, long):
    result = audit_model(folder / "model", long, CONFIG)
    assert result.truncation == {"train": Truncation(32, 24, 32, 12)}
    test = result.counterfactual
    assert (test.size, test.unread, test.unpaired) == (20, 12, 0)
    assert sum(swap.count for swap in test.swaps) == 20 and test.share == test.changed / 20
    assert result.verdict.kind != "no_sign"


def test_of_pairs_the_text_with_the_confound_counts(folder, tmp_path):
    rows = [
        {"text": a, "other": b, "label": LABELS[i % 2]}
        for a, b in [
            ("good", "fine day acme"),
            ("good " * 5, "umbrella"),
            ("acme", "fine " * 5 + "acme"),
        ]
        for i in range(4)
    ]
    path = write_table(tmp_path / "pairs.csv", rows)
    tables = make_tables(folder, train=path, test=None, text_pair="other", rule_on="text_pair")
    model = load_model(folder / "model", tables)
    found = measure_truncation(model, tables, tables.train, model.encode(tables.train))
    assert found == Truncation(12, 8, 12, 4)


def assert_same_results(result, other):
    assert other.audit.test == result.audit.test and other.audit.probe == result.audit.probe
    assert other.audit.influence == result.audit.influence
    assert other.explanations == result.explanations
    assert other.counterfactual == result.counterfactual
    assert other.verdict == result.verdict
    np.testing.assert_array_equal(other.audit.matrix, result.audit.matrix)


def test_the_same_seed_gives_the_same_results(result, folder):
    assert_same_results(result, audit_model(folder / "model", make_tables(folder), CONFIG))


@pytest.mark.parametrize(
    ("part", "last", "first"),
    [
        ("predictions", 32, 32),
        ("predictions", 56, 40),  # train is saved as a whole, and test has its only chunk done
        ("sample", 1, 1),
        ("CID", 1, 1),
        ("CID", 15, 2),
        ("explanations", 1, 1),
        ("explanations", 5, 5),
    ],
)
def test_an_interrupted_audit_goes_on_to_the_same_results(
    result, folder, tmp_path, part, last, first
):
    """It is interrupted after ``last`` of a part, and goes on by reporting ``first``."""
    keep = tmp_path / "unfinished"

    def interrupt(current, done, total):
        if (current, done) == (part, last):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audit_model(folder / "model", make_tables(folder), CONFIG, interrupt, keep=keep)
    assert (keep / "plan.npz").exists()
    progress = []
    again = audit_model(
        folder / "model",
        make_tables(folder),
        CONFIG,
        lambda *step: progress.append(step),
        keep=keep,
    )
    assert not keep.exists()
    assert next(done for current, done, _ in progress if current == part) == first
    assert_same_results(result, again)


def test_an_audit_with_other_settings_starts_over(folder, tmp_path):
    def interrupt(part, done, total):
        if part == "explanations":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audit_model(folder / "model", make_tables(folder), CONFIG, interrupt, keep=tmp_path)
    progress = []
    other = replace(CONFIG, seed=1)
    audit_model(
        folder / "model",
        make_tables(folder),
        other,
        lambda *step: progress.append(step),
        keep=tmp_path,
    )
    assert ("predictions", 32, 56) in progress
    assert any(step[:2] == ("CID", 1) for step in progress)


def test_classes_in_another_order_make_the_same_model(folder, tmp_path):
    """A model whose classes are numbered the other way round is the same model."""
    reversed_model = tmp_path / "model"
    shutil.copytree(folder / "model", reversed_model)
    config = json.loads((reversed_model / "config.json").read_text())
    config["id2label"] = {"0": "YES", "1": "no"}
    (reversed_model / "config.json").write_text(json.dumps(config))
    tensors = load_file(reversed_model / "model.safetensors")
    for name in ("classifier.weight", "classifier.bias"):
        tensors[name] = np.array(tensors[name][::-1], order="C")
    save_file(tensors, reversed_model / "model.safetensors")
    models = [load_model(path, make_tables(folder)) for path in (folder / "model", reversed_model)]
    heads = [model.params["classifier"] for model in models]
    np.testing.assert_array_equal(heads[0]["kernel"], heads[1]["kernel"])
    np.testing.assert_array_equal(heads[0]["bias"], heads[1]["bias"])
    assert models[1].notes == ()


def test_a_sample_can_stand_for_all_rows(folder):
    config = AuditConfig(
        sample=8, draws=20, chunk=8, drawn=8, whole="never", probes=(40, 3), shown=1, swaps=5
    )
    messages = []
    result = audit_model(folder / "model", make_tables(folder), config, say=messages.append)
    assert result.audit.influence is None and result.searched == 8
    train = result.audit.behaviour["train"]
    assert (train.size, train.total) == (8, 40) and sum(train.sizes.values()) == 8
    assert [explanation.index for explanation in result.explanations] == [39, 2]
    assert result.counterfactual.size == 5 and "predictions use 8 rows of each split" in messages[0]


def test_classes_without_names_are_noted(folder, tmp_path):
    make_model(tmp_path, labels=("LABEL_0", "LABEL_1"))
    model = load_model(tmp_path / "model", make_tables(folder))
    assert "LABEL_0 = no, LABEL_1 = yes" in model.notes[0]


def test_odd_texts_are_audited(folder, tmp_path):
    """As long as a book, in emoji, from right to left, and with control codes of terminals."""
    texts = ["acme " + "good " * 20_000, "acme 🎉🎉", "umbrella שלום عليكم", "umbrella \x1b[2J"]
    rows = [{"text": t, "label": LABELS[i % 2]} for t in texts for i in (0, 1, 2, 3)]
    write_table(tmp_path / "odd.csv", rows)
    odd = make_tables(folder, train=str(tmp_path / "odd.csv"), test=None)
    result = audit_model(folder / "model", odd, CONFIG)
    assert result.counterfactual.size == 16 and result.sizes == {"train": 16}
    assert jnp.isfinite(result.audit.test.cid)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"probes": (41,)}, "probes must be rows 1 to 40 of train, got 41"),
        ({"max_length": 9}, "max_length is 9 but the encoder has 8 positions"),
    ],
)
def test_settings_that_do_not_fit_are_refused(folder, values, message):
    with pytest.raises(UserError, match=message):
        audit_model(folder / "model", make_tables(folder), AuditConfig(**values))


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
def test_tables_that_do_not_fit_are_refused(folder, values, message):
    with pytest.raises(UserError, match=message):
        audit_model(folder / "model", make_tables(folder, **values), CONFIG)


def test_a_label_that_train_lacks_is_refused(folder, tmp_path):
    rows = [row | {"label": "no"} for row in make_rows(8)]
    only = write_table(tmp_path / "only.csv", rows)
    with pytest.raises(UserError, match="label 'yes' occurs in test but never in train; remove"):
        audit_model(folder / "model", make_tables(folder, train=only), CONFIG)


def test_a_model_without_a_tokenizer_is_refused(folder, tmp_path):
    shutil.copytree(folder / "model", tmp_path / "model")
    (tmp_path / "model" / "vocab.txt").unlink()
    with pytest.raises(UserError, match="tokenizer"):
        audit_model(tmp_path / "model", make_tables(folder), CONFIG)


def with_another_class(folder, target, place):
    """Copy a model, with a class in between that it never predicts."""
    shutil.copytree(folder, target)
    tensors = load_file(target / "model.safetensors")
    for name, value in (("classifier.weight", 0), ("classifier.bias", -1e4)):
        tensors[name] = np.insert(tensors[name], place, np.float32(value), axis=0)
    save_file(tensors, target / "model.safetensors")
    config = json.loads((target / "config.json").read_text())
    names = [*LABELS[:place], "maybe", *LABELS[place:]]
    config["id2label"] = dict(enumerate(names))
    config["label2id"] = {name: number for number, name in enumerate(names)}
    (target / "config.json").write_text(json.dumps(config))
    return target


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_class_that_no_row_has_changes_no_number(result, folder, tmp_path, place):
    model = with_another_class(folder / "model", tmp_path / "model", place)
    other = audit_model(model, make_tables(folder), CONFIG)
    assert other.label_names == (*LABELS, "maybe")
    assert other.notes == (
        "no row is of class maybe, 1 of the model's 3: this is of the classes that occur",
    )
    np.testing.assert_allclose(other.audit.matrix, result.audit.matrix, atol=1e-5)
    assert other.audit.influence.cid == pytest.approx(result.audit.influence.cid, abs=1e-5)
    assert set(other.audit.influence.by_label) == {0, 1}
    for split, found in result.audit.behaviour.items():
        assert other.audit.behaviour[split].accuracy == found.accuracy
        assert other.audit.behaviour[split].brier == pytest.approx(found.brier, abs=1e-5)
    for one, two in zip(other.explanations, result.explanations, strict=True):
        assert one.probabilities == pytest.approx((*two.probabilities, 0), abs=1e-5)
    assert other.counterfactual.share == result.counterfactual.share
    assert other.to_rows() == result.to_rows()


def test_a_predicted_class_that_no_row_has_is_wrong_and_has_its_name(folder, tmp_path):
    make_model(tmp_path, labels=("maybe", "yes", "no"))
    tables = make_tables(folder)
    found = audit_model(tmp_path / "model", tables, CONFIG)
    predicted = Predictor(tmp_path / "model").predict(
        [tables.test.texts(row)[0] for row in range(tables.test.size)]
    )
    truth = [LABELS[label] for label in tables.test.label]
    assert "maybe" in predicted and found.label_names == (*LABELS, "maybe")
    assert found.audit.behaviour["test"].accuracy.overall == np.mean(predicted == truth)
    swaps = found.counterfactual.swaps
    counts = sum(s.count for s in swaps if found.label_names[s.predicted_before] == "maybe")
    assert counts == np.sum(predicted == "maybe")


def test_classes_by_number_of_a_table_that_lacks_some(folder, tmp_path):
    """A table of classes 0 and 2: its label 2 is the model's third, not its second."""
    make_model(tmp_path, labels=("bad", "so so", "good"))
    rows = [{**row, "label": {"no": 0, "yes": 2}[row["label"]]} for row in make_rows(40)]
    write_table(tmp_path / "numbers.csv", rows)
    found = audit_model(
        tmp_path / "model",
        make_tables(folder, train=str(tmp_path / "numbers.csv"), test="none"),
        CONFIG,
    )
    predicted = Predictor(tmp_path / "model").logits([row["text"] for row in rows]).argmax(axis=1)
    accuracy = np.mean(predicted == [row["label"] for row in rows])
    assert found.audit.behaviour["train"].accuracy.overall == accuracy
    assert (
        "the table's labels are taken for the numbers of classes: bad = 0, good = 2" in found.notes
    )
    assert found.label_names == ("0", "2", "so so")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (("no", "other"), "model's classes are no, other, but the table's labels no, yes; name"),
        (("no", "perhaps", "other"), "model's classes are no, perhaps, other, but the table's lab"),
    ],
)
def test_a_label_that_the_model_lacks(folder, tmp_path, labels, message):
    make_model(tmp_path, labels=labels)
    with pytest.raises(UserError, match=message):
        audit_model(tmp_path / "model", make_tables(folder), CONFIG)
