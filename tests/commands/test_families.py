"""Every family from end to end: tuned, killed, resumed, audited and loaded, with its tokenizer."""

import json
from functools import partial

import numpy as np
import pytest

import itune
from itune.commands import main
from itune.models import load_tokenizer
from tests.helpers.family_encoder import DECODERS, write_family
from tests.helpers.killing import kill_before
from tests.helpers.table_cases import write_rows
from tests.helpers.tuning_cases import SETTINGS, make_rows

# BERT is in other tests; XLM-RoBERTa, CamemBERT and Mistral are RoBERTa and Llama by other names.
IN_EACH_RUN = ("roberta", "albert", "deberta-v2", "modernbert", "gpt2")
OTHERS = ("distilbert", "electra", "deberta", "mpnet", "llama", "qwen2", "qwen3")
# Without explanations, and without the CID of all rows, which the run measures.
QUICK = ["--sample", "8", "--draws", "20", "--chunk", "8", "--random_probes", "0", "--whole=never"]


def pytest_generate_tests(metafunc):
    others = OTHERS if metafunc.config.option.all_families else ()
    metafunc.parametrize("name", [*IN_EACH_RUN, *others])


@pytest.mark.usefixtures("known_costs")
def test_tuned_killed_resumed_audited_and_loaded(name, tmp_path, monkeypatch):
    monkeypatch.setattr("itune.utils.compiling.use_compilation_cache", lambda: None)
    rows, out = make_rows(), str(tmp_path / "out")
    texts = [row["review"] for row in rows]
    encoder = write_family(tmp_path, name, texts)
    table = write_rows(tmp_path / "reviews.csv", rows)
    columns = ["--text", "review", "--label", "stars", "--confound", "brand"]
    settings = SETTINGS | {"label.epochs": 1, "encoder": encoder, "cid_when": "end"}
    words = [word for key, value in settings.items() for word in (f"--{key}", str(value))]
    command = ["tune", str(table), *columns, *words, "--out", out, "--method", "finetuning"]
    kill_before(5, partial(main, [*command, "--checkpoint_seconds", "0"]))
    assert main([*command, "--resume"]) == 0
    lines = map(json.loads, (tmp_path / "out" / "metrics.jsonl").read_text().splitlines())
    assert [line["step"] for line in lines if line["kind"] == "label_update"] == [*range(6)]
    assert main(["audit", out, *QUICK, "--out", f"{out}/audited"]) == 0
    probabilities = itune.load(out).predict_proba([*texts[:4], ""])
    assert np.isfinite(probabilities).all() and len(np.unique(probabilities[:, 0])) > 2
    about = json.loads((tmp_path / "out" / "model" / "config.json").read_text())
    if name in DECODERS:  # transformers finds the last token by the padding
        assert load_tokenizer(f"{out}/model").pad_token_id == about["pad_token_id"] == 0
