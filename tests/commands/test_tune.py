"""itune tune and itune compare: what they print, and what they say of bad input."""

import json
from pathlib import Path

import pytest

from itune.auditing.model import OTHER_ROWS
from itune.commands import main
from itune.utils.formats import signed
from tests.helpers.table_cases import write_rows
from tests.helpers.tuning_cases import SETTINGS, make_encoder, make_rows


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    return write_rows(folder / "reviews.csv", make_rows()), make_encoder(folder), folder


@pytest.fixture
def command(case):
    path, encoder, _ = case
    columns = ["--text", "review", "--label", "stars", "--confound", "brand"]
    settings = [word for name, value in SETTINGS.items() for word in (f"--{name}", str(value))]
    return [str(path), *columns, "--encoder", str(encoder), *settings, "--cid_when", "end"]


def read(out):
    return json.loads((Path(out) / "report.json").read_text(), parse_constant=pytest.fail)


def page(out):
    return (Path(out) / "report.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("known_costs")
def test_tune(case, command, capsys):
    out = str(case[2] / "tuned")
    assert main(["tune", *command, "--out", out, "--method", "finetuning"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0].startswith("Finetuning of ") and "52 training examples" in " ".join(lines[:3])
    sizes = [line.split()[-1] for line in lines if line.split()[:1] in (["train"], ["dev"])]
    assert sizes == ["52", "6"]
    assert any(line.startswith("- CID is ") for line in lines)
    assert any(line.startswith("The model is from step ") for line in lines)
    assert f"model: {out}/model, for AutoModelForSequenceClassification.from_pretrained" in lines
    assert lines[-1] == f"{out}/report.html is the report; report.json beside it has its numbers"
    found = read(out)
    assert found["origin"]["command"][:2] == ["itune", "tune"] and found["method"] == "finetuning"
    assert f"CID is {signed(found['final_cid']['cid'])}" in page(out)
    assert main(["tune", *command, "--out", out, "--method", "finetuning"]) == 2
    assert "already holds a run; go on with it by --resume" in capsys.readouterr().err

    quick = ["--sample", "8", "--draws", "20", "--chunk", "8", "--random_probes", "1"]
    assert main(["audit", out, *quick, "--out", f"{out}/audited"]) == 0  # it knows its table
    audited = read(f"{out}/audited")
    assert audited["sizes"] == {"train": 52, "dev": 6, "test": 6}
    assert audited["digest"] == found["digest"] and audited["notes"] == []
    more = [str(case[0]), "--split_seed", "1", "--out", f"{out}/audited", "--overwrite"]
    assert main(["audit", f"{out}/model", *quick, *more]) == 0
    assert read(f"{out}/audited")["notes"] == [OTHER_ROWS]


def test_compare(case, command, capsys):
    out = str(case[2] / "compared")
    more = ["--methods", "finetuning", "--seeds", "1,2", "--label.epochs", "1", "--out", out]
    assert main(["compare", *command, *more]) == 0
    shown, said = capsys.readouterr()
    assert "seeds 1, 2" in shown and "± standard deviation" in shown and " of 2" in shown
    assert "nothing to compare it with" in shown
    assert "2 of 2 runs done" in said
    found = read(out)
    assert found["verdict"][0] in page(out) and found["origin"]["seeds"] == "1, 2"
    assert found["methods"][0]["runs"][1]["seed"] == 2


def test_interrupted(command, capsys, monkeypatch, tmp_path):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("itune.training.run.train", interrupt)
    assert main(["tune", *command, "--out", str(tmp_path / "a")]) == 130
    assert capsys.readouterr().err == (
        "interrupted; what was done is kept; go on by the same command with --resume\n"
    )
    assert (tmp_path / "a" / "config.json").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--label", "star"], "has no column 'star'; did you mean 'stars'?"),
        (["--method", "finetunning"], "method must be one of finetuning, "),
        (["--method", "finetunning"], ", got 'finetunning'; did you mean finetuning?"),
        (["--seed", "-1"], "seed must be an integer from 0 to 2**32 - 1, got -1"),
        (
            ["--checkpoint_seconds", "-3"],
            "checkpoint_seconds must be a non-negative number, got -3.0",
        ),
        (["--selection", "best"], "training.selection must be one of last"),
        (["--label.epochs", "0"], "training.label.epochs must be a positive integer, got 0"),
        (["--together", "2"], "--together is not an option"),
        (["--epochs", "3"], "--epochs is not an option; did you mean --training."),
        (["--encoder", "./none"], "encoder folder ./none does not exist"),
        (["--dev_fraction", "0"], "dev has no row; give rows of it, or a larger dev_fraction"),
        (
            ["--confound", "stars"],
            "label and confound are both column 'stars'; name another for one",
        ),
        (["--resume", "--overwrite"], "resume goes on with what is there, overwrite deletes it"),
        (["--max_length", "0"], "training.max_length must be an integer of at least 3, got 0"),
    ],
)
def test_bad_input(command, more, message, tmp_path, capsys):
    assert main(["tune", *command, "--out", str(tmp_path / "out"), *more]) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.startswith("error: ") and error.count("\n") == 1
    assert message in error
    assert not (tmp_path / "out").exists()


def test_compare_keeps_another_report(command, tmp_path, capsys):
    (tmp_path / "report.html").write_text("of an audit")
    assert main(["compare", *command, "--seeds", "1", "--out", str(tmp_path)]) == 2
    assert "report.html exists; choose another folder for --out" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
