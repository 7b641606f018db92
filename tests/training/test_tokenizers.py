"""A run saves the tokenizer it was trained with, whatever its files, or is refused before it."""

import json

import pytest

from itune import TextClassifier, UserError, load
from itune.models import load_tokenizer, saving
from itune.training import run
from tests.helpers import tuning_cases

ROWS = tuning_cases.make_rows()
TEXTS, STARS = [row["review"] for row in ROWS], [row["stars"] for row in ROWS]
BRANDS = [row["brand"] or None for row in ROWS]


@pytest.fixture
def of_bytes(tmp_path):
    """An encoder whose tokenizer consists of vocab.json and merges.txt."""
    encoder = tuning_cases.make_encoder(tmp_path)
    (encoder / "vocab.txt").unlink()
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *"afginrp", "Ġ"]
    assert len(tokens) <= json.loads((encoder / "config.json").read_text())["vocab_size"]
    ids = {token: place for place, token in enumerate(tokens)}
    (encoder / "vocab.json").write_text(json.dumps(ids))
    (encoder / "merges.txt").write_text("#version: 0.2\n")
    config = {"tokenizer_class": "RobertaTokenizer"}
    (encoder / "tokenizer_config.json").write_text(json.dumps(config))
    return encoder


def classifier(encoder, out):
    settings = tuning_cases.SETTINGS | {"label.epochs": 1}
    return TextClassifier("finetuning", encoder=encoder, settings=settings, out=out)


def test_vocab_json_and_merges_are_saved(of_bytes, tmp_path):
    fitted = classifier(of_bytes, tmp_path / "out").fit(TEXTS, STARS, BRANDS)
    saved = load_tokenizer(tmp_path / "out" / "model")
    before = load_tokenizer(of_bytes)(TEXTS)["input_ids"]
    assert saved(TEXTS)["input_ids"] == before and len({tuple(ids) for ids in before}) > 3
    probabilities = load(tmp_path / "out").predict_proba(TEXTS)
    assert (probabilities == fitted.predict_proba(TEXTS)).all()


@pytest.mark.parametrize("fault", ["lost", "another"])
def test_what_cannot_be_saved_is_refused_before_the_first_step(
    of_bytes, tmp_path, monkeypatch, fault
):
    monkeypatch.setattr(run, "train", None)
    monkeypatch.setattr(saving, "save_tokenizer", lambda source, target: None)
    message = "cannot be saved .*; save it anew by AutoTokenizer.from_pretrained"
    if fault == "another":
        (of_bytes / "other").mkdir()
        other = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *"fagginrp", "Ġ"]
        ids = {token: place for place, token in enumerate(dict.fromkeys(other))}
        files = {"vocab.json": json.dumps(ids), "merges.txt": "#version: 0.2\n"}

        def save(source, target):
            for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
                text = files.get(name) or (source / name).read_text()
                (target / name).write_text(text)

        monkeypatch.setattr(saving, "save_tokenizer", save)
        message = "is another one once saved; save it anew by AutoTokenizer.from_pretrained"
    with pytest.raises(UserError, match=message) as caught:
        classifier(of_bytes, tmp_path / "out").fit(TEXTS, STARS, BRANDS)
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()
