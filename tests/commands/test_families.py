"""Families whose tokenizers have no padding and no markers, from end to end."""

import json

import numpy as np
import pytest

import itune
from itune.commands import main
from itune.models import load_tokenizer
from tests.helpers.family_encoder import DECODERS, write_family
from tests.helpers.table_cases import write_rows
from tests.helpers.tuning_cases import SETTINGS, make_rows

# Those with words are tuned and audited in other tests; a family compiles for long.
FAMILIES = ("gpt2",)
QUICK = ["--sample", "8", "--draws", "20", "--chunk", "8", "--random_probes", "1"]


@pytest.mark.parametrize("name", FAMILIES)
def test_tuned_audited_and_loaded(name, tmp_path, monkeypatch):
    monkeypatch.setattr("itune.utils.compiling.use_compilation_cache", lambda: None)
    rows, out = make_rows(), str(tmp_path / "out")
    texts = [row["review"] for row in rows]
    encoder = write_family(tmp_path, name, texts)
    table = write_rows(tmp_path / "reviews.csv", rows)
    columns = ["--text", "review", "--label", "stars", "--confound", "brand"]
    settings = SETTINGS | {"label.epochs": 1, "encoder": encoder, "cid_when": "end"}
    words = [word for key, value in settings.items() for word in (f"--{key}", str(value))]
    command = ["tune", str(table), *columns, *words, "--out", out, "--method", "finetuning"]
    assert main(command) == 0
    assert main(["audit", out, *QUICK, "--out", f"{out}/audited"]) == 0
    probabilities = itune.load(out).predict_proba([*texts[:4], ""])
    assert np.isfinite(probabilities).all() and len(np.unique(probabilities[:, 0])) > 3
    about = json.loads((tmp_path / "out" / "model" / "config.json").read_text())
    if name in DECODERS:  # transformers finds the last token by the padding
        assert load_tokenizer(f"{out}/model").pad_token_id == about["pad_token_id"] == 0
