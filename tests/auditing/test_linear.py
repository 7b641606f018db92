"""The audit of a number: its test against loops over the definition, its verdict and its output."""

import csv
import json
import math

import numpy as np
import pytest
from scipy.stats import pearsonr

import itune
from itune import UserError
from itune.auditing import CIDTest, ErrorTrend
from itune.auditing.linear import _verdict, trend
from itune.auditing.linear_significance import _Label, linear_cid_test
from itune.commands import main
from tests.auditing.test_significance import FixedDraws, cosines
from tests.helpers.small_audit import BRANDS, make_model, make_rows, write_table

LABEL = np.array([0] * 7 + [1] * 6)
NUMBER = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9], float)
SD = 2.5  # of the data that the sample is of
SHARE = {0: 0.7, 1: 0.3}
QUICK = {"sample": 40, "draws": 200, "chunk": 8, "whole": "always"}


def by_definition(matrix, number):
    """Weighted mean over labels of ``2 x_p b_p``, b_p by least squares, x over :data:`SD`."""
    result = 0.0
    for y, weight in SHARE.items():
        rows = np.flatnonzero(y == LABEL)
        x = number[rows] - number[rows].mean()
        for p, probe in enumerate(rows):
            others = np.delete(np.arange(len(rows)), p)
            slope, _ = np.polyfit(x[others], matrix[probe, rows[others]], 1)
            result += weight * 2 * x[p] * slope * SD**2 / x.var() / len(rows)
    return result


@pytest.fixture
def matrix():
    return cosines(np.random.default_rng(0).normal(size=(13, 6)))


def test_cid_is_its_definition_and_numbers_are_permuted(matrix):
    found = linear_cid_test(matrix, LABEL, NUMBER / SD, SHARE, np.random.default_rng(0), draws=10)
    assert found.cid == pytest.approx(by_definition(matrix, NUMBER), abs=1e-10)
    assert (found.size, found.draws) == (13, 10)

    def p_of(number):
        standard = [(of - of.mean()) / of.std() for of in np.split(number, [7])]
        return linear_cid_test(matrix, LABEL, NUMBER / SD, SHARE, FixedDraws(standard), draws=1).p

    assert p_of(NUMBER) == 1
    rng = np.random.default_rng(1)
    for _ in range(8):
        other = np.concatenate([rng.permutation(part) for part in np.split(NUMBER, [7])])
        is_as_far = abs(by_definition(matrix, other)) >= abs(found.cid)
        assert p_of(other) == (1 if is_as_far else 0.5)


@pytest.mark.parametrize("slope", [0.0, 0.8])
def test_the_interval_covers_and_p_is_uniform_without_effect(slope):
    """Of 120 samples; not cosines, so that the truth is known to be ``2 slope²``."""
    low, high, ps, found = 0, 0, [], []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        x, rows = (rng.gamma(2.0, size=40) - 2) / math.sqrt(2), rng.normal(size=(40, 8))
        rows[:, 0] += 1
        rows[:, 1] += slope * x
        test = linear_cid_test(rows @ rows.T, np.zeros(40, int), x, {0: 1.0}, rng, draws=99)
        low, high = low + (test.low > 2 * slope**2), high + (test.high < 2 * slope**2)
        ps.append(test.p)
        found.append(test.cid)
        assert test.low <= test.cid <= test.high
    assert low <= 10 and high <= 10
    assert np.mean(found) == pytest.approx(2 * slope**2, abs=0.15)
    shares = [np.mean(np.array(ps) <= level) for level in (0.05, 0.5)]
    if slope:
        assert shares[0] > 0.7
    else:
        assert shares[0] <= 0.1 and 0.38 <= shares[1] <= 0.62


@pytest.mark.parametrize(("slope", "size"), [(0, 200), (3, 20)])
def test_variances_are_those_over_draws(slope, size):
    """Of the quadratic term where there is no slope, and of both where it is steep."""
    rng = np.random.default_rng(0)
    x = rng.gamma(2.0, size=30)
    x = (x - x.mean()) / x.std()
    values, variances = [], []
    for _ in range(400):
        rows = rng.normal(size=(30, size))
        rows[:, 0] += 1
        rows[:, 1] += slope * x
        of_label = _Label(rows @ rows.T, x, 0.5, 2.0)
        values.append(of_label.observed())
        spread = of_label.spread()
        variances.append(spread.second + (spread.first[2] if slope else 0))
        assert spread.linear == 0 and not spread.first[:2].any()
    assert np.mean(values) == pytest.approx(0.25 * 2 * slope**2, abs=0.1)
    assert np.mean(variances) / np.var(values) == pytest.approx(1, abs=0.2)


def test_norms_of_gradients_are_not_taken_for_slopes():
    """Where they are large, what is estimated of e·β is its own noise: twice the other term."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=30)
    x = (x - x.mean()) / x.std()
    spreads = []
    for _ in range(200):
        rows = rng.normal(size=(30, 200))
        rows[:, 1] += 0.5 * x
        spreads.append(_Label(rows @ rows.T, x, 1.0, 1.0).spread())
    linear = 16 * 0.5**2 / 30
    expected = linear + 2 * np.mean([spread.second for spread in spreads])
    assert np.mean([spread.first[2] for spread in spreads]) == pytest.approx(expected, rel=0.25)


def test_errors_and_the_number():
    x = np.array([1.0, 2, 3, 4, 5, 6, 7, 8])
    wrong = np.array([0, 0, 1, 0, 0, 1, 1, 1], bool)
    found, expected = trend("dev", 1, wrong, x), pearsonr(wrong, x)
    assert found[:4] == ("dev", 1, 8, 0.5)
    assert found.correlation == pytest.approx(expected.statistic)
    interval = expected.confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-4)
    for unknown in (trend("dev", 1, ~wrong | True, x), trend("dev", 1, wrong, 0 * x)):
        assert all(map(math.isnan, unknown[4:]))


GOOD = (("train", 0, 50, 0.1), ("train", 1, 40, 0.1), ("test", 0, 400, 0.9))


@pytest.mark.parametrize(
    ("test", "whole", "without", "errors", "kind", "said"),
    [
        ((0.2, 0.1, 0.3, 0.01), None, 0.0, GOOD, "leans", "leans on 'age' (CID +0.200)"),
        ((0.2, 0.1, 0.3, 0.01), 0.15, 0.0, GOOD, "leans", "(CID +0.150)"),
        ((0.2, 0.1, 0.3, 0.01), 0.04, 0.0, GOOD, "inconclusive", "cannot tell whether"),
        ((0.2, 0.1, 0.3, 0.06), None, 0.0, GOOD, "inconclusive", "cannot tell whether"),
        ((0.2, -0.1, 0.3, 0.01), None, 0.0, GOOD, "inconclusive", "cannot tell whether"),
        ((0.01, -0.01, 0.06, 0.5), None, 0.0, GOOD, "inconclusive", "cannot tell whether"),
        ((0.01, -0.01, 0.04, 0.5), 0.06, 0.0, GOOD, "inconclusive", "cannot tell whether"),
        ((0.01, -0.01, 0.04, 0.5), None, 0.0, GOOD, "no_sign", "along a straight line"),
        ((0.01, -0.01, 0.04, 0.5), None, 0.2, GOOD, "inconclusive", "20.0% of the training rows"),
        ((0.01, -0.01, 0.04, 0.5), None, 0.0, (("train", 0, 50, 0.4),), "inconclusive", "learnt"),
        ((0.2, 0.1, 0.3, 0.01), None, 0.0, (("train", 0, 15, 0),), "inconclusive", "too few rows"),
        ((0.2, *2 * [math.nan], 0.01), None, 0.0, GOOD, "inconclusive", "too few rows"),
    ],
)
def test_verdicts(test, whole, without, errors, kind, said):
    trends = tuple(ErrorTrend(*one, 0.0, -0.1, 0.1) for one in errors)
    verdict = _verdict("age", CIDTest(*test, 90, 2000), whole, without, trends)
    assert verdict.kind == kind and said in verdict.headline
    assert ("CID of all training rows" in verdict.reasons[1]) == (whole is not None)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model that tells brands apart, and an age that goes with the brand; some rows lack it."""
    place = tmp_path_factory.mktemp("number")
    make_model(place)
    rng = np.random.default_rng(0)
    rows = [
        {
            **row,
            "age": f"{rng.normal(15 * BRANDS.index(row['brand'])):.1f}" if number % 20 else "",
            "noise": f"{rng.normal():.3f}",
            "same": "5",
        }
        for number, row in enumerate(make_rows(80))
    ]
    write_table(place / "train.csv", rows)
    return place


def test_an_age_that_goes_with_the_brand(place):
    found = itune.audit_number(place / "model", "age", place / "train.csv", settings=QUICK)
    assert found.verdict.kind == "leans" and "(CID +" in found.verdict.headline
    assert found.test.low > 0.02 and found.test.p < 0.01
    assert found.sizes == {"train": 76} and found.missing == {"train": 4}
    assert found.notes == ("rows without 'age' are left out: 4 of train",)
    assert found.cid == pytest.approx(np.mean([*found.by_label.values()]), abs=0.02)
    assert abs(found.cid - found.test.cid) < found.test.high - found.test.low
    assert [row["label"] for row in found.to_rows()] == ["no", "yes"]
    html = found._repr_html_()
    assert "age" in html and "along a straight line" not in html
    noise = itune.audit_number(
        place / "model", "noise", place / "train.csv", settings=QUICK | {"whole": "never"}
    )
    assert noise.cid is None and noise.by_label == {} and noise.verdict.kind != "leans"
    assert noise.test.low <= 0.02 and noise.test.size == 40


def test_samples_splits_and_rows_without_gradient(place, tmp_path, monkeypatch):
    """Rows are in the order of their labels, and dev has numbers of its own."""
    rng = np.random.default_rng(2)
    tables = {
        split: [row | {"age": round(rng.normal(), 3)} for row in make_rows(size, seed=size)]
        for split, size in (("train", 60), ("dev", 30))
    }
    tables["train"] = sorted(tables["train"][:55], key=lambda row: row["label"])
    paths = {split: write_table(tmp_path / f"{split}.csv", of) for split, of in tables.items()}
    monkeypatch.setattr(
        "itune.auditing.linear.influences_among",
        lambda loss, params, train, indices, **_: np.diag((train.label != 0).astype(float)),
    )
    found = itune.audit_number(
        place / "model",
        "age",
        paths["train"],
        dev=paths["dev"],
        settings=QUICK | {"sample": 20, "whole": "never"},
    )
    assert found.without_gradient == pytest.approx(28 / 55) and found.test.size == 20
    texts = [row["text"] for row in tables["dev"]]
    label = np.array([row["label"] for row in tables["dev"]])
    is_wrong = itune.load(place / "model").predict(texts) != label
    x = np.array([row["age"] for row in tables["dev"]])
    expected = [
        trend("dev", number, is_wrong[label == name], x[label == name])
        for number, name in enumerate(found.label_names)
    ]
    assert [one for one in found.errors if one.split == "dev"] == expected


def test_errors_of_rows_that_are_drawn(place, monkeypatch):
    chosen = np.array([3, 4, 11, 20, 25, 29, 38, 41, 70])
    monkeypatch.setattr("itune.auditing.linear.draw_by_group", lambda *_: chosen)
    monkeypatch.setattr(
        "itune.auditing.linear.influences_among",
        lambda loss, params, train, indices, **_: np.eye(len(indices)),
    )
    found = itune.audit_number(
        place / "model", "noise", place / "train.csv", settings=QUICK | {"whole": "never"}
    )
    with (place / "train.csv").open() as file:
        rows = [row for n, row in enumerate(csv.DictReader(file)) if n in chosen]
    label, x = np.array([row["label"] for row in rows]), [float(row["noise"]) for row in rows]
    is_wrong = itune.load(place / "model").predict([row["text"] for row in rows]) != label
    expected = [
        trend("train", number, is_wrong[label == name], np.array(x)[label == name])
        for number, name in enumerate(found.label_names)
    ]
    assert repr(list(found.errors)) == repr(expected)
    assert any(not math.isnan(one.correlation) for one in expected)


def test_a_label_whose_numbers_are_equal_is_in_no_sample(place, tmp_path, monkeypatch):
    """Its rows are first, so that places among the others are no places among all."""
    rows = sorted(make_rows(60), key=lambda row: row["label"])
    rows = [row | {"age": n % 7 if row["label"] == "yes" else 5} for n, row in enumerate(rows)]
    seen = []

    def influences(loss, params, train, indices, **_):
        seen.extend(train.label.tolist())
        return np.eye(len(indices))

    monkeypatch.setattr("itune.auditing.linear.influences_among", influences)
    table = write_table(tmp_path / "t.csv", rows)
    settings = QUICK | {"sample": 12, "whole": "never"}
    found = itune.audit_number(place / "model", "age", table, settings=settings)
    assert seen == [1] * found.test.size == [1] * 12
    assert any(note.startswith("label no is left out of CID") for note in found.notes)


def test_the_command(place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = [word for name, value in QUICK.items() for word in (f"--{name}", str(value))]
    words = ["audit", str(place / "model"), str(place / "train.csv"), *options]
    assert main([*words, "--number", "age"]) == 0
    shown, said = capsys.readouterr()
    numbers = json.loads((tmp_path / "audited" / "report.json").read_text())
    assert f"The model leans on 'age' (CID {numbers['cid']:+.3f})." in shown
    assert f"{numbers['by_label']['no']:+.3f}" in shown and "4 of train" in said
    assert "a number has no groups" in " ".join(shown.split())
    assert sorted(p.name for p in (tmp_path / "audited").iterdir()) == [
        "report.html",
        "report.json",
    ]
    for column, message in (
        ("brand", "column 'brand' has the value 'acme', which is no number; mend it, or make"),
        ("same", "no label has three training rows whose 'same' differs, so there is nothing"),
        ("agee", "has no column 'agee'; did you mean 'age'?"),
    ):
        assert main([*words, "--number", column, "--out", "other"]) == 2
        shown, error = capsys.readouterr()
        assert shown == "" and error.count("\n") == 1 and message in error


def test_one_row_that_decides_is_noted(place, tmp_path):
    rows = [row | {"age": 1e6 if n == 9 else n % 7} for n, row in enumerate(make_rows(40))]
    table = write_table(tmp_path / "far.csv", rows)
    found = itune.audit_number(place / "model", "age", table, settings=QUICK)
    assert found.notes == (
        "one row decides the slope of label yes, whose 'age' is 1e+06, far from the others; use "
        "its logarithm, or bins",
    )
    with pytest.raises(UserError, match="columns are of a table that is a file"):
        itune.audit_number(
            place / "model",
            "age",
            itune.tables.read_tables(itune.tables.TableConfig(table, confound=None)),
            settings=QUICK,
        )
