"""A run on a table, from the rows to a model that others load, and what is said of bad input."""

import dataclasses
import json
from dataclasses import replace
from shutil import copytree, ignore_patterns

import numpy as np
import pytest

from itune.data.dataset import tokenize_table
from itune.errors import UserError
from itune.metrics import accuracy, make_logits
from itune.models import BertClassifier, load_classifier, load_tokenizer, resolve_encoder
from itune.results import read_result
from itune.training import RunOptions
from itune.tuning.tune import scaled_settings, tune_on
from tests.helpers.tuning_cases import LABELS, SETTINGS, make_encoder, make_rows, make_tables

ABOUT = RunOptions(about={"table": {"a": 1}})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tuning")


@pytest.fixture(scope="module")
def encoder(folder):
    return make_encoder(folder)


@pytest.fixture(scope="module")
def tables(folder):
    return make_tables(folder, make_rows(lone=True))


@pytest.fixture(scope="module")
def tuned(tables, encoder, folder):
    settings = SETTINGS | {"encoder": str(encoder)}
    return tune_on(tables, folder / "tuned", seed=1, settings=settings, options=ABOUT)


def test_what_came_of_it(tuned, tables):
    assert (tuned.data, tuned.method, tuned.seed) == ("reviews.csv", "influence_tuning", 1)
    assert tuned.label_names == LABELS and tuned.confound_names == ("Acme", "Umbrella", "Zenith")
    train = tuned.accuracies["train"]
    assert train.size == tables.train.size
    sizes = {group.name: group.size for group in train.groups}
    assert sizes["good/Zenith"] == 1
    hidden = int(np.sum(tables.train.confound == -1))
    assert hidden > 0 and sum(sizes.values()) == train.size - hidden == tuned.confounds_visible
    assert train.balanced == pytest.approx(np.mean([group.accuracy for group in train.groups]))
    assert train.worst.accuracy == min(group.accuracy for group in train.groups)
    assert tuned.cid_before.note == "before round 1" and tuned.cid_history[-1].note == "end"
    assert tuned.dev_history[-1].note == "epoch 2"
    assert max(dev.accuracy.balanced for dev in tuned.dev_history) == tuned.best_checkpoint.value
    assert tuned.config["label"]["epochs"] == 2 and tuned.minutes > 0
    assert read_result(tuned.folder) == tuned
    assert json.loads((tuned.folder / "config.json").read_text())["table"] == {"a": 1}


def rewritten(tuned, folder, change):
    """The run read again after a change to its result."""
    copy = folder / "copy"
    copytree(tuned.folder, copy, ignore=ignore_patterns("model"))
    result = json.loads((copy / "result.json").read_text())
    change(result)
    (copy / "result.json").write_text(json.dumps(result))
    return read_result(copy)


def test_a_moment_after_the_selected_one_is_not_before_it(tuned, tmp_path):
    def select_the_first(result):
        result["cid"] |= {"step": 1, "note": "selected"}

    assert rewritten(tuned, tmp_path, select_the_first).cid_before is None


def test_a_dev_without_confounds_is_selected_by_accuracy(tuned, tmp_path):
    assert tuned.criterion == "group-balanced accuracy"
    found = rewritten(tuned, tmp_path, lambda result: result["dev"].update(groups={}))
    assert found.criterion == "accuracy"
    assert replace(found, best_checkpoint=None).criterion is None


def test_truncation_is_noted(tuned, tmp_path):
    assert not any("truncated" in note for note in tuned.notes)
    found = rewritten(
        tuned, tmp_path, lambda r: r["rows"]["train"].update(full=r["rows"]["train"]["all"])
    )
    assert "100% of the training rows fill max_length, 8 tokens" in " ".join(found.notes)


def test_the_model_is_the_one_that_was_measured(tuned, tables):
    bert, params, labels = load_classifier(tuned.model)
    tokenizer = load_tokenizer(tuned.model)
    assert labels == LABELS and tokenizer.model_max_length == SETTINGS["max_length"]
    data = tokenize_table(tables.test, tokenizer, max_length=tokenizer.model_max_length)
    predict = make_logits(
        lambda params, z: (
            BertClassifier(bert)
            .apply({"params": params}, z["input_ids"], z["attention_mask"])
            .logits
        )
    )
    found = accuracy(predict(params, data), data)
    assert found.overall == tuned.accuracies["test"].accuracy
    assert list(found.by_group.values()) == [
        group.accuracy for group in tuned.accuracies["test"].groups
    ]


@pytest.mark.parametrize("is_pair", [False, True])
def test_transformers_predicts_the_same(tuned, encoder, folder, is_pair, tmp_path):
    torch = pytest.importorskip("torch")
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    rows = make_rows()
    if is_pair:
        pairs = [dict(row, more=f"{row['brand']} is great") for row in rows]
        tables = make_tables(tmp_path, pairs, text_pair="more")
        settings = SETTINGS | {"encoder": str(encoder), "max_length": 16}
        tuned = tune_on(tables, tmp_path / "run", method="finetuning", settings=settings)
    texts = ["Acme is great", "Umbrella is awful"], ["is fine", "Umbrella is great"]
    texts = texts if is_pair else texts[:1]
    model = AutoModelForSequenceClassification.from_pretrained(tuned.model).eval()
    tokenizer = AutoTokenizer.from_pretrained(tuned.model)
    inputs = tokenizer(*texts, padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        theirs = model(**inputs).logits.numpy()
    bert, params, _ = load_classifier(tuned.model)
    arrays = [inputs[name].numpy() for name in ("input_ids", "attention_mask", "token_type_ids")]
    ours = BertClassifier(bert).apply({"params": params}, *arrays).logits
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert model.config.id2label == dict(enumerate(LABELS))


@pytest.fixture(scope="module")
def finetuned(folder):
    """Its classes are in another order than the table's."""
    return make_encoder(folder, labels=LABELS[::-1])


def test_a_finetuned_folder_goes_on_from_its_head(finetuned, tables, tmp_path):
    settings = SETTINGS | {"encoder": str(finetuned), "label.learning_rate": 0.0, "cid_when": "end"}
    tuned = tune_on(tables, tmp_path / "run", method="finetuning", settings=settings)
    before, after = load_classifier(finetuned), load_classifier(tuned.model)
    assert after.labels == LABELS == before.labels[::-1]
    kernels = [found.params["classifier"]["kernel"] for found in (before, after)]
    np.testing.assert_array_equal(kernels[1], kernels[0][:, ::-1])
    assert tuned.dev_history[0].note == "start"
    new = tune_on(
        tables, tmp_path / "new", method="finetuning", settings=settings | {"head": "new"}
    )
    kernel = load_classifier(new.model).params["classifier"]["kernel"]
    assert np.abs(kernel - kernels[1]).min() > 1e-5
    assert new.dev_history[0].note in ("between epochs", "epoch 1")


def test_settings_scale_and_what_is_given_wins(tables, encoder):
    s = scaled_settings(tables, {"encoder": str(encoder), "label.epochs": 3, "influence.k": 2})
    assert (s.label.epochs, s.influence.k, s.selection) == (3, 2, "balanced")
    assert (s.label.batch, s.influence.interval) == (8, 3)
    assert s.max_length == 8  # [CLS] acme is fine [SEP]


def test_drawn_partners_are_of_the_own_label(tables, encoder):
    """They can be of no other, so that who sets them need not set labels as well."""
    drawn = {"encoder": str(encoder), "influence.partners": "drawn"}
    assert scaled_settings(tables, drawn).influence.labels == "own"
    assert scaled_settings(tables, {"encoder": str(encoder)}).influence.labels == "all"


def test_dev_is_measured_for_selection_alone(tables, encoder):
    often = scaled_settings(tables, {"encoder": str(encoder), "label.batch": 2})
    last = {"encoder": str(encoder), "label.batch": 2, "selection": "last"}
    assert often.accuracy_every == max(-(-5 * tables.dev.size // 6), 4)
    assert scaled_settings(tables, last).accuracy_every is None


@pytest.mark.parametrize(
    ("values", "rate", "rows"),
    [
        ({"model_type": "bert"}, 4e-5, 8),
        ({"model_type": "electra", "embedding_size": 128}, 1e-4, 8),
        ({"model_type": "bert", "num_hidden_layers": 24}, 4e-5, 4),
    ],
)
def test_settings_follow_the_encoder(tables, tmp_path, values, rate, rows):
    minilm = resolve_encoder("all-MiniLM-L6-v2")
    about = json.loads((minilm / "config.json").read_text()) | values
    (tmp_path / "config.json").write_text(json.dumps(about))
    (tmp_path / "vocab.txt").write_bytes((minilm / "vocab.txt").read_bytes())
    s = scaled_settings(tables, {"encoder": str(tmp_path), "max_length": 256})
    assert (s.label.learning_rate, s.label.chunk) == (pytest.approx(rate), rows)


def test_data_that_changed_since(tables, encoder, tuned):
    train = tables.train._replace(label=1 - tables.train.label)
    settings = SETTINGS | {"encoder": str(encoder)}
    with pytest.raises(UserError, match="was started on other data, or they have changed since; r"):
        tune_on(
            dataclasses.replace(tables, train=train),
            tuned.folder,
            seed=1,
            settings=settings,
            options=RunOptions(resume=True),
        )
    with pytest.raises(UserError, match="tuned already holds a run; go on with it by resume=True"):
        tune_on(tables, tuned.folder, seed=1, settings=settings)


@pytest.mark.parametrize("what", ["checkpoints", "metrics", "model"])
def test_a_full_disk(tables, encoder, tmp_path, monkeypatch, what):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    targets = {
        "checkpoints": "itune.training.checkpoints.Checkpoints.save",
        "metrics": "itune.training.metrics_log.MetricsLog.write",
        "model": "safetensors.numpy.save_file",
    }
    settings = SETTINGS | {"encoder": str(encoder), "label.epochs": 1, "selection": "last"}
    with monkeypatch.context() as patch:
        patch.setattr(targets[what], full)
        with pytest.raises(UserError, match="cannot write to .*run .No space left on device.; ma"):
            tune_on(tables, tmp_path / "run", method="finetuning", settings=settings)
    assert not (tmp_path / "run" / "result.json").exists()


def bad(settings=None, method="finetuning", **changes):
    return settings or {}, method, changes


BAD = {
    "no_spurious": (bad(method="no_spurious"), "no_spurious trains on data without the confound"),
    "method": (bad(method="tuning"), "method must be one of finetuning, "),
    "setting": (bad({"label.epoch": 3}), "label.epoch is not a key; did you mean label.epochs"),
    "value": (bad({"label.epochs": "x"}), "label.epochs must be an integer, got 'x'"),
    "batch": (bad({"label.batch": 999}), "label.batch is 999 but there are only 53 training"),
    "encoder": (bad({"encoder": "./none"}), "encoder folder ./none does not exist"),
    "interval": (
        bad({"influence.interval": 99}, "influence_tuning"),
        "influence.interval is 99 but there are only 12 label steps",
    ),
    "empty group": (
        bad(method="group_dro"),
        "1 or more examples of group bad/Zenith and sees 0",
    ),
    "constant confound": (
        bad(train=lambda train: train._replace(confound=0 * train.confound)),
        "reviews.csv: every training row has confound 'Acme'",
    ),
    "one label": (
        bad(train=lambda train: train._replace(label=0 * train.label)),
        "reviews.csv: every training row has label 'bad'",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case, tables, encoder, tmp_path):
    (settings, method, changes), message = BAD[case]
    for name, change in changes.items():
        tables = dataclasses.replace(tables, **{name: change(getattr(tables, name))})
    settings = SETTINGS | {"encoder": str(encoder)} | settings
    with pytest.raises(UserError) as caught:
        tune_on(tables, tmp_path / "run", method=method, settings=settings)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_encoders_that_do_not_fit(tables, folder, tmp_path):
    def refused(**changes):
        source = make_encoder(tmp_path, labels=changes.pop("labels", LABELS))
        path = source / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
        with pytest.raises(UserError) as caught:
            settings = SETTINGS | {"encoder": str(source)}
            tune_on(tables, tmp_path / "run", method="finetuning", settings=settings)
        for made in source.iterdir():
            made.unlink()
        source.rmdir()
        return str(caught.value)

    assert "'xlnet', which is not supported; choose" in refused(model_type="xlnet")
    message = refused(labels=("a", "b", "c"))
    assert "the model has 3 classes" in message and message.endswith(
        "set head to new, to start anew"
    )
    assert "the model's classes are x, y" in refused(labels=("x", "y"))


def test_no_tokenizer(tables, encoder, tmp_path):
    for path in encoder.iterdir():
        if path.name in ("config.json", "model.safetensors"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(UserError, match="tokenizer"):
        tune_on(tables, tmp_path / "run", settings=SETTINGS | {"encoder": str(tmp_path)})


def test_a_folder_of_something_else(tmp_path):
    for name in ("result.json", "config.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "metrics.jsonl").write_text("")
    with pytest.raises(UserError, match="is damaged, or no result of a run"):
        read_result(tmp_path)
