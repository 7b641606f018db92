"""The commands that a search ends in run as printed, whatever the candidate and the columns are."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest

from itune import discover
from itune.commands import main
from itune.commands.audit import AuditCommand
from itune.commands.of_model import parse_on_model
from itune.commands.training import parse_training
from itune.commands.tune import TuneCommand
from itune.discovery.candidates import find_candidates
from itune.discovery.features.base import Rows
from itune.discovery.pairs import find_pairs
from itune.report.discover import next_commands
from itune.tables import TableConfig, read_tables
from itune.tables.further import read_further
from itune.training.record import tables_of_model
from tests.discovery.test_model import QUICK
from tests.helpers.small_audit import make_model, make_rows, write_table
from tests.helpers.tuning_cases import SETTINGS

ODD = (
    'Don\'t "ask" me: $5\\$(x) now',
    "naïve  café `is` 很好",
    "बहुत !! ok; [see] 很好",
    "iş\tб\n#1",
)
AUDITED = ["--sample", "8", "--draws", "20", "--chunk", "8", "--random_probes", "1"]
COLUMNS = {
    "none": lambda n: "ab"[n % 3 // 2],
    "age, now": lambda n: (n % 5 - 2) * 1e-5,
    "-age": lambda n: n % 5 - 2,
    " age": lambda n: "pqr"[n % 3],
    ' a "b"\tc\u202e': lambda n: "xyz"[n % 3],
    "it's": lambda n: f"2024-0{n % 3 + 1}-0{n % 7 + 1}",
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A search in a table of odd texts and columns, and the words of rows in it."""
    place = tmp_path_factory.mktemp("my odd 'place'")
    rows = [
        {**row, "text": f"{row['text']} {ODD[n // 4 % 4]}", "second": f"{ODD[n % 4]} {n % 5}"}
        | {name: value(n) for name, value in COLUMNS.items()}
        for n, row in enumerate(make_rows(96))
    ]
    table, columns = write_table(place / "t.jsonl", rows), {"text_pair": "second"}
    found = discover(make_model(place), table, settings={**QUICK, "columns": ("auto",)}, **columns)
    return found, table


def candidates(table):
    """Yield every candidate, and pairs, with the rows that have them."""
    config = TableConfig(table, confound=None, text_pair="second", dev_fraction=0, test_fraction=0)
    further = read_further(table, config, [*COLUMNS])
    texts = [read_tables(config).train.texts(n) for n in range(96)]
    columns = {name: (codes["train"], names) for name, (codes, names) in further.columns.items()}
    rows = Rows(
        dict(zip(("text", "text_pair"), map(list, zip(*texts, strict=True)), strict=True)), columns
    )
    singles = find_candidates(rows, 3)
    for place, feature in enumerate(singles.features):
        yield feature, singles.having(place)
    # The first words, the marks, and those of the second text.
    usable = [n for n, of in enumerate(singles.features) if of.pattern]
    for start in range(0, len(usable), 40):
        for pair in find_pairs(singles.take(np.array(usable[start : start + 16])), 3):
            yield pair.feature, pair.having


def few_of_each_kind(every, most=6):
    """Return candidates from all over: of those that commands name alike, only so many."""
    alike = {}
    for feature, having in every:
        alike.setdefault((feature.kind, *feature.settings), []).append((feature, having))
    return [of for found in alike.values() for of in found[:: -(-len(found) // most)]]


def in_shell(lines):
    """Return the words of each line as a shell takes them."""
    script = "".join(f"printf '%s\\0' {line}; printf '\\1\\0'\n" for line in lines)
    run = subprocess.run(["bash"], input=script.encode(), capture_output=True, check=True)
    shown = run.stdout.decode()
    return [line.split("\0")[:-1] for line in shown.split("\1\0")[:-1]]


def test_every_candidate_is_the_confound_of_its_commands(odd):
    found, table = odd
    every = few_of_each_kind(candidates(table))
    lines = [line for feature, _ in every for line in next_commands(found, feature.settings, 1)]
    words = in_shell(lines)
    assert len(words) == 2 * len(every)
    assert all(line.isprintable() for line in lines)
    kinds = {(feature.kind, *feature.settings) for feature, _ in every}
    assert len({kind for kind, *_ in kinds}) == 6 and len(kinds) == 12
    for (feature, having), audit, tune in zip(every, words[::2], words[1::2], strict=True):
        assert (audit[1], tune[1]) == ("audit", "tune")
        command, columns = parse_on_model(AuditCommand, audit[2:], prog="", description="")
        audited = tables_of_model(command.model, command.table.train, columns)
        tuned = read_tables(
            parse_training(TuneCommand, tune[2:], "method", prog="", description="")[0].table
        )
        confound = np.full(96, -2)
        for split in tuned.splits().values():
            confound[split.rows] = split.confound
        np.testing.assert_array_equal(confound, audited.train.confound)
        (value,) = {*confound[having].tolist()}
        assert np.flatnonzero(confound == value).tolist() == having.tolist(), feature.name


@pytest.mark.usefixtures("known_costs")
def test_commands_run_as_printed(odd, tmp_path, monkeypatch, capsys):
    """An audit of a column, and a run against a pair, from the encoder of the model's run.

    What is added makes them quick.
    """
    found, table = odd
    found = replace(found, encoder=found.model)
    last = {feature.kind: feature for feature, _ in candidates(table)}
    monkeypatch.chdir(tmp_path)
    settings = [f"--{name}={value}" for name, value in {**SETTINGS, "cid_when": "end"}.items()]
    for place, kind, more in (
        (0, "columns", AUDITED),
        (1, "pairs", [*settings, "--method=finetuning"]),
    ):
        words = in_shell(next_commands(found, last[kind].settings, 1))[place]
        assert main([*words[1:], *more]) == 0, capsys.readouterr().err
        assert (tmp_path / words[-1] / "report.json").exists()
        assert words[-1] in capsys.readouterr().out
