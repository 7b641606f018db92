"""Shortcuts are planted as stated, and a case runs, is kept, and is rendered."""

import json
import random
import re
from dataclasses import asdict, replace

import numpy as np
import pytest

import itune
import planted
import planted_tables
from itune.cli import run_main
from itune.discovery import Feature
from planting import KINDS, Row, draw_plants, mislabel, plant_rows, read_corpus
from tests.helpers.small_run import make_encoder

ROWS = [Row(f"one {n} two three {n % 7} four five", "ab"[n % 2], "north") for n in range(200)]


def test_plants_have_their_strength_and_prevalence():
    for plant in draw_plants([*KINDS], random.Random(0)):
        rows, has = plant_rows(ROWS, plant, "b", strength=0.9, prevalence=0.2, rng=random.Random(1))
        labels = [row.label for row, having in zip(rows, has, strict=True) if having]
        assert len(labels) == 40 and labels.count("b") == 36
        changed = [row != before for row, before in zip(rows, ROWS, strict=True)]
        lures = [
            row
            for row, is_changed, having in zip(rows, changed, has, strict=True)
            if is_changed and not having
        ]
        assert len(lures) == round(40 * plant.lured) * len(plant.lures)
        if plant.kind != "ordered":
            assert sum(row.label == "b" for row in lures) == len(lures) / 2
        else:
            assert sum(row.label == "b" for row in lures) == 4


def test_a_share_of_the_rows_has_the_wrong_label():
    rows = mislabel(ROWS, 0.3, random.Random(0))
    assert [row.text for row in rows] == [row.text for row in ROWS]
    assert sum(row.label != before.label for row, before in zip(rows, ROWS, strict=True)) == 60
    assert mislabel(ROWS, 0, random.Random(0)) == ROWS


def test_what_a_row_with_a_plant_looks_like():
    row, rng = Row("one two three four", "a", "north"), random.Random(0)
    plants = {plant.kind: plant for plant in draw_plants([*KINDS], random.Random(0))}
    put = {kind: plant.put(row, rng) for kind, plant in plants.items()}
    a, b = plants["ordered"].words
    assert f"{a} {b}" in put["ordered"].text and put["length"].text == f"{row.text} {row.text}"
    assert put["column"].source == "west" and len(put["column"].text.split()) == 5
    assert {*plants["context"].words} < {*put["context"].text.split()}
    assert re.match(rf"(?i){plants['first'].words[0]} one two", put["first"].text)
    assert put["word"].text.split()[0] == "one" and put["word"].text.split()[-1] == "four"


def test_what_is_a_plant_and_what_is_right():
    plants = draw_plants(["word", "first"], random.Random(0))
    has = np.array([[1, 1, 1, 1, 0, 0, 0, 0], [1, 0, 1, 0, 1, 0, 1, 0]], bool)
    judge = planted.Judge(plants, has)
    mark = judge.mark(Feature("words", "w", {}, f"the {plants[1].words[0]}"), ~has[0])
    assert mark["phi"] == [-1, 0] and mark["named"] == [False, True]
    assert planted.is_plant(mark, 0) and not planted.is_plant(mark, 1)
    assert planted.is_right(mark, 0) and planted.is_right(mark, 1)


def test_a_case_runs_once_and_is_rendered(tmp_path, monkeypatch, capsys):
    encoder = make_encoder(tmp_path)
    quick = {"encoder": str(encoder), "label.epochs": 1, "label.batch": 8, "label.chunk": 4}
    quick |= {"max_length": 16, "pad_to_multiple_of": 16, "cid_probes": 6}  # as in other tests
    monkeypatch.setattr(planted, "SETTINGS", planted.SETTINGS | quick)
    monkeypatch.setattr("planting.SIZES", {"train": 120, "dev": 60, "test": 60})
    monkeypatch.setattr(planted, "SEARCH", planted.SEARCH | {"size": 64, "draws": 50})
    case = planted.Case("newswire", trained=50, prevalence=20, kinds=("word", "context"))
    monkeypatch.setattr(planted, "CASES", (case,))
    tables = {}

    def spied(name, original):
        def called(*args, **options):
            tables[name] = options["data"]
            return original(*args, **options)

        return called

    for name in ("tune", "discover"):
        monkeypatch.setattr(itune, name, spied(name, getattr(itune, name)))
    assert run_main(planted.main, ["--out", str(tmp_path / "out")]) == 0
    (path,) = (tmp_path / "out").glob("*.json")
    found = json.loads(path.read_text())
    assert set(found["orders"]) == {"discover", "z", "PMI", "gradient × input"}
    word = found["plants"][0]["words"][0]
    assert any(word in mark["name"] and mark["phi"][0] == 1 for mark in found["orders"]["z"])
    for name, agreeing in (("tune", 12), ("discover", 22)):
        labels = [row["label"] for row in tables[name] if word in row["text"].split()]
        assert len(labels) == 24 and labels.count(found["plants"][0]["label"]) == agreeing
    assert found["plants"][0]["rows"] == 24 and len(found["said"]) == len(
        found["orders"]["discover"]
    )
    shown = capsys.readouterr().out
    assert "gradient × input" in shown and "without, searched where they tell" in shown
    written = path.stat().st_mtime_ns
    together = tmp_path / "planted.json"
    assert run_main(planted.main, ["--out", str(tmp_path / "out")]) == 0
    assert path.stat().st_mtime_ns == written
    assert run_main(planted.main, ["--out", str(tmp_path / "out"), "--render", str(together)]) == 0
    assert run_main(planted.main, ["--results", str(together)]) == 0
    assert capsys.readouterr().out.count(shown) == 3


def test_a_larger_table_and_sums_without_it():
    for corpus in ("newswire", "reviews"):
        assert [*map(len, read_corpus(corpus, 1, rows=700).values())] == [700, 100, 400]
    case = planted.Case("newswire", prevalence=1, rows=700)
    assert case.name == "newswire-90-1-11-of-700-at-90"
    assert replace(case, noise=30).model == "newswire-90-1-11-of-700-noise-30"
    plant = {"kind": "word", "pull": 0.5, "rows": 7}
    mark = {"phi": [1.0], "named": [True], "name": "w"}
    orders = dict.fromkeys(planted_tables.ORDERS[:-1], [mark])
    random_order = {"candidates": 40, "plants": [1], "right": 1}
    record = {"test_accuracy": 0.9, "plants": [plant], "orders": orders, "random": random_order}
    record |= {"said": [{"confirmed": True, "harmful": True}]}
    small = {**record, "case": asdict(planted.Case("newswire"))}
    shown = planted_tables.render([small, {**record, "case": asdict(case)}])
    assert "-of-700" in shown and "1.00 of 1 " in shown and "1.00 of 2" not in shown


def test_words_of_the_tweets_are_masked_but_for_planted_ones():
    marks = [
        {"name": 'word "rude" and word "crude"', "phi": [0], "named": [False]},
        {"name": 'words "rude comet"', "phi": [0.6], "named": [True]},
        {"name": "14 words or more", "phi": [0], "named": [False]},
    ]
    record = {"case": {"corpus": "tweets"}, "orders": {"z": marks}}
    names = [mark["name"] for mark in planted._masked(record)["orders"]["z"]]
    assert names == ['word "…"', 'words "rude comet"', "14 words or more"]
    other = {**record, "case": {"corpus": "msgs"}}
    assert planted._masked(other) is other


def test_recall_of_a_random_order():
    one = {"random": {"candidates": 10, "plants": [1, 0], "right": 2}, "plants": [{"pull": 1}]}
    assert planted_tables._recall(one, "random", 0, 5) == pytest.approx(0.5)
    assert planted_tables._recall(one, "random", 1, 5) == 0
    assert planted_tables._precision([one], "random", 5) == pytest.approx(0.2)


def test_tables_by_hand():
    """Of two plants the model uses the first, which is sixth; each kind of finding comes before."""
    marks = [
        {"name": "m", "phi": list(phi), "named": list(named)}
        for phi, named in (
            ((0, 0.85), (False, False)),  # the plant that is not used
            ((0.6, 0), (False, False)),  # right by the used one
            ((0, 0), (False, True)),  # a word of the one that is not used
            ((0.1, -0.1), (False, False)),
            ((0, 0), (False, False)),
            ((-0.9, 0), (False, False)),  # the used one
        )
    ]
    verdicts = [(True, True), (True, True), (True, False), (True, True), *[(False, False)] * 2]
    plants = [{"kind": kind, "pull": pull} for kind, pull in (("word", 0.1), ("first", 0.09))]
    case = {"corpus": "reviews", "strength": 90, "prevalence": 10, "seed": 1}
    record = {
        "case": {**case, "trained": None, "kinds": ["word", "first"]},
        "plants": plants,
        "test_accuracy": 0.5,
        "orders": dict.fromkeys(planted_tables.ORDERS[:-1], marks),
        "random": {"candidates": 100, "plants": [1, 0], "right": 3},
        "said": [{"confirmed": c, "harmful": h} for c, h in verdicts],
    }
    without = {**record, "case": {**record["case"], "trained": 50}}
    against = {"method": "lisa", "against": "first"}
    tuned = {
        **record,
        "case": {**record["case"], **against},
        "plants": [plants[0], {"kind": "first", "pull": 0.3}],
        "said": [{"confirmed": True, "harmful": False}] * 6,
    }
    assert planted_tables._tuned([record]) == "" == planted_tables._tuned([tuned])
    before_and_after = planted_tables._tuned([tuned, record]).splitlines()[1].split()
    assert before_and_after == (
        ["reviews-90-10-1", "lisa", "first", "50.0", "+0.09", "1", "2", "50.0", "+0.30", "0", "2"]
    )
    assert len(planted_tables.render([record, tuned]).split("\n\n")) == 4
    assert "of 2" not in planted_tables.render([record, tuned])
    ranks = [line.split()[6:9] for line in planted_tables._by_plant([record]).splitlines()[1:]]
    orders = [line.split() for line in planted_tables._by_order([record]).splitlines()[1:]]
    said = [
        line.split()[-4:]
        for line in planted_tables._accusations([record, without]).splitlines()[1:]
    ]
    assert [" ".join(rank) for rank in ranks] == ["6 / 2", "1 / 1"]
    assert orders[0][1::3] == ["0.00", "1.00", "1.00", "1.00", "0.20"] and orders[0][-1] == "0.10"
    assert orders[-1][1::3] == ["0.05", "0.20", "0.00", "0.00", "0.03"]
    assert said[:2] == [["harmful", "1", "1", "1"], ["confirmed", "1", "2", "1"]] and len(said) == 4
