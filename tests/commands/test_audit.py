"""itune audit: what it prints and writes, and what it says of bad input."""

import json

import pytest

from itune.auditing import classifier, model
from itune.commands import main
from tests.helpers.small_audit import make_model, make_rows, write_table

QUICK = ["--sample", "8", "--draws", "20", "--chunk", "8", "--random_probes", "1"]
RULE = ["--rule", "Acme=words:acme || Umbrella=words:umbrella", *QUICK]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("audit")
    make_model(place)
    write_table(place / "train.csv", make_rows(40))
    return place


@pytest.fixture
def words(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return ["audit", str(place / "model"), str(place / "train.csv")]


def test_what_it_prints_and_writes(words, tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    assert main([*words, *RULE, "--dev", words[2], "--out", str(out)]) == 0
    shown, errors = capsys.readouterr()
    found = json.loads((out / "report.json").read_text(), parse_constant=pytest.fail)
    assert sorted(path.name for path in out.iterdir()) == ["report.html", "report.json"]
    headline = found["verdict"]["headline"][:40]
    paragraphs = shown.split("\n\n")
    assert paragraphs[1].startswith(headline) and paragraphs[-2].startswith(headline)
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    test, everyone = found["audit"]["test"], found["audit"]["influence"]
    interval = f"from {test['low']:+.3f} to {test['high']:+.3f}"
    text = " ".join(lines)
    assert (
        f"sample of 8 training rows is {test['cid']:+.3f}, with a 95 % interval {interval}" in text
    )
    assert any(line.startswith(f"all {everyone['cid']:+.3f} ") for line in lines)
    assert any(line.startswith(f"no {everyone['by_label']['0']:+.3f} ") for line in lines)
    accuracy = found["audit"]["behaviour"]["dev"]["accuracy"]["by_group"]["y=1 c=2"]
    assert any(line.startswith(f"yes / Umbrella {accuracy:.3f} (") for line in lines)
    probe = found["explanations"][0]
    assert any(line.startswith(f"Row {probe['index'] + 1} of train: [") for line in lines)
    helpful = probe["helpful"][0]
    assert any(line.startswith(f"{helpful['influence']:+.3f} [") for line in lines)
    assert found["counterfactual"]["size"] == 40 and "In 40 texts of dev the confound" in shown
    assert found["audit"]["matrix"] is None and "the audit uses all rows" in errors
    assert lines[-1] == f"{out}/report.html is the report; report.json beside it has its numbers"


def test_nothing_is_overwritten_unasked(words, tmp_path, capsys):
    path = tmp_path / "audited" / "report.json"
    path.parent.mkdir()
    path.write_text("mine")
    assert main([*words, *RULE]) == 2
    assert "report.json exists; choose another folder for --out, or" in capsys.readouterr().err
    assert path.read_text() == "mine"


def test_interrupted(words, tmp_path, capsys, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    out = tmp_path / "out"
    command = [*words, *RULE, "--out", str(out)]
    with monkeypatch.context() as patch:
        patch.setattr(model, "explain", stop)
        assert main(command) == 130
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == "interrupted; what was done is kept; go on by the same command"
    assert [path.name for path in out.iterdir()] == ["unfinished"]
    with monkeypatch.context() as patch:
        patch.setattr(classifier, "make_plan", stop)  # is kept
        assert main(command) == 0
    assert sorted(path.name for path in out.iterdir()) == ["report.html", "report.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--together", "2"], "--together is not an option"),
        (["--txt", "x"], "--txt is not an option; did you mean --table.text?"),
        (["--label", "lable"], "has no column 'lable'; did you mean 'label'?"),
        (["--confound", "brnad"], "has no column 'brnad'; did you mean 'brand'?"),
        (
            ["--rule", "words:nobody"],
            "every training row has confound 'no' (the rule matches none), so",
        ),
        (
            ["--rule", "words:acme", "--probes", "3,41"],
            "probes must be rows 1 to 40 of train, got 41",
        ),
        (["--rule", "words:acme", "--probes", "0"], "probes must be different row numbers from 1"),
        (["--whole", "some"], "whole must be one of auto, always, never"),
        (["--confound", "brand", "--test", "none.csv"], "none.csv: no such file"),
        (
            ["--model", "/nowhere", "--confound", "brand"],
            "/nowhere does not exist; give the",
        ),
        (["extra"], "unrecognized arguments: extra; --help lists what there is"),
    ],
)
def test_bad_input(words, arguments, message, capsys):
    given = words[:1] + words[2:] if "--model" in arguments else words
    if "--model" in arguments:
        given = ["audit", "--table.train", words[2]]
    assert main([*given, *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.count("\n") == 1 and message in error


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("text,label,brand\nx,no\n", "line 2: has 2 fields but the header 3"),
        ("text,label,brand\nx,no,a\n", "has 1 row; give it 2 or more"),
        ("text,label,brand\n,no,a\nx,yes,b\n", "row 1: 'text' is empty; remove the row"),
        (
            "text,label,brand\nx,no,a\ny,yes,a\n",
            "every training row has confound 'a', so there is nothing",
        ),
        ("text,label,brand\nx,no,a\ny,no,b\n", "2 classes (no, yes), but the table 1 label (no)"),
        ("text,label,brand\nx,no,a\ny,yes,b\n", "no label occurs with two confounds in training"),
        ("text,label,brand\nx,no,a\ny,yes,\n", "every training row has confound 'a'"),
    ],
)
def test_bad_tables(words, rows, message, tmp_path, capsys):
    (tmp_path / "t.csv").write_text(rows)
    assert main([*words[:2], str(tmp_path / "t.csv"), "--confound", "brand", *QUICK]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and message in error


def test_nothing_named(words, tmp_path, capsys):
    def said(*given):
        assert main(["audit", *given]) == 2
        return capsys.readouterr().err

    assert "model is not set; name the folder" in said()
    assert said("nowhere").startswith("error: nowhere does not exist; give the folder of a fine")
    assert f"{tmp_path} holds no model (no config.json); give the folder" in said(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "xlnet"}')
    assert "model_type 'xlnet', which is not supported" in said(str(tmp_path))
    assert f"no table is given, and {words[1]} does not tell which one it" in said(words[1])
