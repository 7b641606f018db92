"""What hides in a table, or reorders what stands around it, reaches no terminal as it is."""

import json
import unicodedata

import pytest

from itune.commands import main
from tests.discovery.test_model import QUICK
from tests.helpers import tuning_cases
from tests.helpers.table_cases import write_rows

HIDDEN = "\x1b[1m\u202e\x9b"
LABEL, CONFOUND, FURTHER = (f"{HIDDEN}{name}" for name in ("stars", "brand", "source"))
AUDITED = ["--sample=8", "--draws=20", "--chunk=8", "--random_probes=1", "--whole=never"]
SEARCH = {**QUICK, "columns": "auto", "core": f"words:{HIDDEN}"}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command in a folder with such a table; return what it printed, and on which stream."""
    monkeypatch.chdir(tmp_path)
    rows = [
        {
            "review": f"{row['review']} {HIDDEN}",
            LABEL: f"{HIDDEN}{row['stars']}",
            CONFOUND: row["brand"] and f"{row['brand']}{HIDDEN}",
            FURTHER: f"{'ab'[number % 3 // 2]}{HIDDEN}",
            f"{HIDDEN}id": f"{number}{HIDDEN}",
        }
        for number, row in enumerate(tuning_cases.make_rows())
    ]
    write_rows(tmp_path / "reviews.jsonl", rows)
    tuning_cases.make_encoder(tmp_path)

    def run(command, *words, status=0):
        assert main([command, *words]) == status
        out, errors = capsys.readouterr()
        shown = f"{out}{errors}".replace("\n", "")
        hidden = [letter for letter in shown if unicodedata.category(letter) in ("Cc", "Cs")]
        assert not hidden, shown
        assert "\u202e" not in shown
        return out, errors

    return run


@pytest.mark.usefixtures("known_costs")
def test_no_command_prints_it(run):
    columns = ["--text", "review", "--label", LABEL, "--confound", CONFOUND]
    table = ["reviews.jsonl", *columns]
    values = tuning_cases.SETTINGS | {"encoder": "encoder", "cid_when": "end", "label.epochs": 1}
    settings = [f"--training.{key}={value}" for key, value in values.items()]
    assert "warning: " in run("describe", *table)[0]
    out, _ = run("describe", *table, "--json")
    assert all(HIDDEN in name for name in json.loads(out)["splits"]["train"]["labels"])
    assert "model: tuned" in run("tune", *table, *settings, "--method=finetuning")[0]
    assert "Accuracy" in run("audit", "tuned", *AUDITED)[0]
    search = [f"--{key}={value}" for key, value in SEARCH.items()]
    out, errors = run("discover", "tuned", *search)
    assert "Candidates" in out
    assert "columns looked at: ‹U+001B›[1m‹U+202E›‹U+009B›source; left out: " in errors
    compared = ["--methods=finetuning,balanced_sampling", "--seeds=1"]
    assert "Accuracy" in run("compare", *table, *settings, *compared, "--out=all")[0]
    _, errors = run("describe", *table, f"--rule_on={HIDDEN}", status=2)
    assert errors.startswith("error: ") and errors.count("\n") == 1


def test_the_confound_that_was_found_is_told_so(run, tmp_path):
    (tmp_path / "found").mkdir()
    finding = {"feature": f"a\n{HIDDEN}", "harmful": True, "together": {"confound": CONFOUND}}
    numbers = json.dumps({"findings": [finding]})
    (tmp_path / "found" / "report.json").write_text(numbers)
    table = ["reviews.jsonl", "--text", "review", "--label", "none", "--discover", "found"]
    _, errors = run("tune", *table, status=2)
    assert errors.startswith("confound: a ‹U+001B›[1m‹U+202E›‹U+009B›, the first finding of found")
