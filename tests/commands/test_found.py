"""The confound that itune tune and compare take from a search."""

import json

import pytest

from itune import UserError
from itune.commands.training import parse_training
from itune.commands.tune import TuneCommand

FINDINGS = [
    {"feature": "a comma", "harmful": False, "together": {"rule": "regex:,"}},
    {"feature": 'word "acme"', "harmful": True, "together": {"rule": "words:acme || words:b"}},
]


def parsed(folder, *words):
    words = ["table.csv", "--discover", str(folder), *words]
    return parse_training(TuneCommand, words, "method", prog="itune tune", description="")[0]


def written(folder, findings):
    (folder / "report.json").write_text(json.dumps(findings))
    return folder


def test_the_first_that_harms_is_the_confound_and_is_named(tmp_path, capsys):
    command = parsed(written(tmp_path, {"findings": FINDINGS}))
    assert command.table.rule == "words:acme || words:b" and command.table.confounds == ()
    assert (
        f"word \"acme\", the first finding of {tmp_path} (--rule 'words:acme || words:b')"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("findings", "words", "message"),
    [
        ({"findings": FINDINGS[:1]}, [], "has no finding that is confirmed to harm"),
        ({"verdict": 1}, [], "is of no search"),
        ({"findings": FINDINGS}, ["--rule", "words:x"], "rule and discover both name a confound"),
    ],
)
def test_what_is_refused(tmp_path, findings, words, message):
    with pytest.raises(UserError, match=message):
        parsed(written(tmp_path, findings), *words)


def test_no_report(tmp_path):
    with pytest.raises(UserError, match="name the folder of a report by itune discover"):
        parsed(tmp_path)
