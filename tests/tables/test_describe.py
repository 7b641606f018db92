"""What a table holds: counts, association, lengths, duplicates and warnings."""

import json
import re

import numpy as np
import pyarrow as pa
import pytest

from itune.groups import Group, count_groups
from itune.tables.config import TableConfig
from itune.tables.describe import confound_success, cramers_v, describe_tables
from itune.tables.description import Lengths
from itune.tables.table import Table, Tables, make_tables, read_tables

NAMES = ("bad", "good"), ("acme", "umbrella")


def table(name, *rows):
    texts, label, confound = zip(*rows, strict=True) if rows else ((), (), ())
    columns = pa.table({"0": pa.array(texts, pa.large_string())})
    arrays = np.array(label, np.int32), np.array(confound, np.int32)
    return Table(name, columns, np.arange(len(rows)), *arrays)


def tables(train, dev=(), test=(), names=NAMES):
    return Tables(table("a", *train), table("b", *dev), table("c", *test), *names, None)


TRAIN = [
    ("one", 0, 0),
    ("two words", 0, 0),
    ("one", 0, 0),
    ("a b c d", 0, 1),
    ("x", 1, 1),
    ("y", 1, -1),
]


def test_counts():
    found = describe_tables(
        tables(TRAIN, [("one", 1, 0)], [("z", 1, 1), ("one", 0, 0), ("one", 0, 1)])
    )
    train = found.splits["train"]
    assert (train.name, train.size, train.missing, train.duplicates) == ("a", 6, 1, 1)
    assert train.labels == (4, 2) and train.confounds == (3, 2)
    assert train.groups == {Group(0, 0): 3, Group(0, 1): 1, Group(1, 1): 1}
    assert train.lengths == Lengths(1, 1.0, 1.0, 3.0, 4)
    assert train.success == 4 / 5 and train.cramers_v == pytest.approx(3 / np.sqrt(24))
    dev, test = found.splits["dev"], found.splits["test"]
    assert (dev.success, dev.cramers_v, dev.confounds) == (0.0, None, (1, 0))
    assert (test.success, test.duplicates) == (2 / 3, 1)
    assert [split.contradictions for split in found.splits.values()] == [0, 0, 0]
    assert found.shared == {("train", "dev"): 1, ("train", "test"): 2, ("dev", "test"): 2}


def test_nothing_annotated():
    found = describe_tables(tables([("a", 0, -1), ("b", 1, -1)], names=(NAMES[0], ())))
    train, dev = found.splits["train"], found.splits["dev"]
    assert (train.missing, train.groups, train.success, train.cramers_v) == (2, {}, None, None)
    assert (dev.size, dev.lengths, dev.success, dev.duplicates) == (0, None, None, 0)


def test_pairs_repeat_only_as_pairs():
    columns = pa.table([pa.array(["a", "a", "a b"]), pa.array(["b c", "c", "c"])], ["0", "1"])
    none = np.zeros(3, np.int32)
    train = Table("a", columns, np.arange(3), none, none)
    found = describe_tables(Tables(train, train, train, *NAMES, None))
    assert found.splits["train"].duplicates == 0 and found.shared["train", "dev"] == 3
    assert found.splits["train"].lengths.most == 3


@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (2, 5), (4, 4)])
def test_cramers_v_is_that_of_scipy(shape):
    from scipy.stats.contingency import association

    counts = np.random.default_rng(0).integers(0, 9, shape)
    counts[0] += 1
    counts[:, 0] += 1
    label, confound = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices(shape))
    assert cramers_v(count_groups(label, 7 * confound)) == pytest.approx(association(counts))


def warnings(*args, **names):
    return " / ".join(describe_tables(tables(*args, **names)).warnings)


@pytest.mark.parametrize(
    "warning",
    [
        "1 group has no training row: good/acme",
        "2 groups have fewer than 2 training rows: bad/umbrella, good/umbrella",
        "1 group has fewer than 20 training rows: bad/acme",
        "1 of 6 rows of train repeat an earlier one",
        "1 of 6 training rows have no confound",
        "2 of 2 rows of dev stand in train as well",
        "label 'ugly' occurs in test but never in train",
        "1 text stands in test with more than one label, of which one must be wrong",
        "confound 'NA' is in test, but not in train",
    ],
)
def test_warnings(warning):
    names = (("bad", "good", "ugly"), (*NAMES[1], "NA"))
    test = [("z", 2, 0), ("z", 1, 2)]
    assert warning in warnings(TRAIN, [("x", 1, 1), ("y", 0, 0)], test, names=names)


def test_a_constant_confound():
    assert "every training row has confound 'acme'" in warnings([("a", 0, 0), ("b", 1, 0)])


def test_a_dev_without_confounds():
    assert "no row of dev has a confound, so that" in warnings(TRAIN, [("z", 0, -1)])
    assert "no row of dev has a confound" not in warnings(TRAIN)


@pytest.mark.parametrize(("count", "is_told"), [(20, False), (21, True)])
def test_a_column_that_is_none_of_labels(count, is_told):
    rows = [(str(i), i, i % 2) for i in range(count)]
    found = warnings(rows, names=(tuple(map(str, range(count))), NAMES[1]))
    assert (f"there are {count} labels for {count} training rows; is this" in found) == is_told


def test_many_groups():
    names = (NAMES[0], tuple(map(str, range(50))))
    found = warnings([(str(i), i % 2, i) for i in range(50)], names=names)
    assert "50 groups have no training row: bad/1, bad/3, bad/5 and 47 more" in found


def test_a_test_as_skewed_as_train():
    """Accuracy on it would reward a model that goes by the confound."""
    skewed = [(str(i), i % 2, (i + (i % 10 == 0)) % 2) for i in range(200)]
    even = [(f"e{i}", i // 2 % 2, i % 2) for i in range(40)]
    told = warnings(skewed[:100], skewed[100:], even)
    assert (
        "in dev as in train the confound tells the label (Cramér's V 0.82, in train 0.82): " in told
    )
    assert told.endswith("does not show whether a model leans; that of its groups does")
    assert "as in train" not in warnings(even, even, skewed)
    slightly = [(f"s{i}", i // 2 % 2, i % 2 if i % 20 != 1 else 0) for i in range(80)]
    assert "as in train" not in warnings(slightly, slightly, slightly)


def test_labels_that_are_uneven():
    """Nothing is gained by the confound, but it tells all there is to tell."""
    rows = [(str(i), int(i % 10 == 0), int(i % 10 == 0 or i % 20 == 3)) for i in range(900)]
    told = warnings(rows[:300], rows[300:600], rows[600:])
    assert "in dev and test as in train the confound tells the label (Cramér's V 0.79 and 0" in told
    assert "matched to" not in told  # no row of label 1 has confound 0
    few = warnings(rows[:300], rows[:0], rows[600:604])
    assert "as in train" not in few  # which says nothing of so few


def test_groups_that_dev_and_test_have_few_rows_of():
    rows = [(str(i), i // 2 % 2, i % 2) for i in range(300)]
    told = warnings(rows[:100], rows[100:200], rows[200:252])
    assert "4 groups have fewer than 20 test rows: bad/acme, bad/umbrella, good/acme and 1" in told
    assert "an accuracy over 13 rows is uncertain by up to 27 points, so add rows" in told
    assert "dev rows" not in told
    cut = describe_tables(
        make_tables(
            {
                "text": [row[0] for row in rows],
                "label": [row[1] for row in rows],
                "confound": [row[2] for row in rows],
            }
        )
    )
    assert "uncertain by up to 37 points, so raise dev_fraction" in " ".join(cut.warnings)
    none = warnings(rows[:100], [row for row in rows[100:] if row[1:] != (0, 0)])
    assert "1 group has fewer than 20 dev rows: bad/acme; an accuracy over 1 row is" in none
    assert "test rows" not in none


@pytest.mark.parametrize(
    "values",
    [
        [0] * 160 + list(range(40)),
        [0] * 60 + list(range(100)),
        list(range(-100, 0)) + [7] * 100,
        list(range(10_001, 10_031)),
        list(range(1990, 2026)),
        [1e6 + n / 7 for n in range(30)],
        [0.1 + n / 1e9 for n in range(30)],
        [10**16 + 1000 * n for n in range(30)],
        [10**30 * n for n in range(30)],
    ],
)
def test_bins_that_are_proposed_make_four(values):
    rows = {"text": [f"t{i}" for i in range(400)], "label": [i // 2 % 2 for i in range(400)]}
    rows["confound"] = [repr(values[i % len(values)]) for i in range(400)]
    whole = {"dev_fraction": 0, "test_fraction": 0}
    told = describe_tables(make_tables(rows, TableConfig(**whole))).warnings
    (bins,) = (text.split("bins='")[1].rstrip("'") for text in told if "bins='" in text)
    cut = describe_tables(make_tables(rows, TableConfig(**whole, bins=bins)))
    assert len(cut.confound_names) == 4 and min(cut.splits["train"].groups.values()) > 4
    assert not any("the confound has" in text for text in cut.warnings)


@pytest.mark.parametrize(
    ("confounds", "warning"),
    [
        (
            [20 + i % 61 / 2 for i in range(600)],
            "61 values, all of them numbers; .* bins='27.5,35,42.5'",
        ),
        (
            [i % 21 for i in range(600)],
            "has 21 values, all of them numbers; cut them .* bins='5,10,15'",
        ),
        ([i % 20 for i in range(600)], None),
        ([i % 5 / 2 for i in range(600)], None),
        (
            [f"w{i % 70}" for i in range(600)],
            "has 70 values, most with few rows of a label; is",
        ),
        ([f"w{i % 30}" for i in range(6000)], None),
        (["18 to <35", *[f"w{i % 70}" for i in range(599)]], "has 71 values, most with few rows"),
    ],
)
def test_confounds_that_are_too_many(confounds, warning):
    rows = {"text": [f"t{i}" for i in range(len(confounds))], "confound": confounds}
    rows["label"] = [i // 2 % 2 for i in range(len(confounds))]
    found = describe_tables(make_tables(rows))
    told = [text for text in found.warnings if text.startswith("the confound has")]
    assert len(told) == (warning is not None)
    if warning:
        assert re.search(warning, told[0])
    if warning and "bins" in told[0]:
        bins = told[0].split("'")[1]
        cut = describe_tables(make_tables(rows, TableConfig(bins=bins)))
        assert len(cut.confound_names) == 4
        assert min(cut.splits["train"].groups.values()) > 40
        assert not any("the confound has" in text for text in cut.warnings)


def test_nothing_to_warn_of():
    rows = [(str(i), i // 2 % 2, i % 2) for i in range(240)]
    assert describe_tables(tables(rows[:80], rows[80:160], rows[160:])).warnings == ()


def test_as_rows_and_as_json():
    found = describe_tables(tables(TRAIN, [("one", 1, 0)]))
    row = {"label": "bad", "confound": "acme", "train": 3, "dev": 0, "test": 0}
    assert found.to_rows()[0] == row and len(found.to_rows()) == 4
    shown = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    groups = [tuple(group.values()) for group in shown["splits"]["train"]["groups"]]
    assert groups == [("bad", "acme", 3), ("bad", "umbrella", 1), ("good", "umbrella", 1)]
    assert shown["splits"]["train"]["labels"] == {"bad": 4, "good": 2}
    assert shown["splits"]["train"]["lengths"]["most"] == 4
    assert shown["shared"] == [{"of": "dev", "in": "train", "rows": 1}]


def test_progress():
    told = []
    describe_tables(tables(TRAIN, TRAIN[:2]), lambda *args: told.append(args))
    assert told == [("texts", 6, 8), ("texts", 8, 8)]


@pytest.mark.parametrize(
    ("groups", "success"),
    [
        ([(1, 0), (1, 0), (0, 1)], 1.0),
        ([(0, 0), (1, 1)], 0.0),
        ([(0, 2), (1, 2), (0, 2), (0, 3)], 0.5),  # a tie is the least label, a stranger is wrong
    ],
)
def test_the_accuracy_of_the_confound_alone(groups, success):
    train = np.array([(1, 0), (1, 0), (0, 0), (0, 1), (1, 2), (0, 2)]).T
    assert confound_success(tuple(train), tuple(np.array(groups).T)) == success


def test_a_split_of_a_task_can_only_be_given_more_rows():
    found = describe_tables(read_tables(TableConfig("textlen", rule="words:film,movie")))
    told = " ".join(found.warnings)
    assert "so add rows" in told and "raise dev_fraction" not in told
