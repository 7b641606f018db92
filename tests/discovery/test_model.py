"""A model whose brands are opposites is told to go by them, from its texts alone."""

import contextlib
import csv
import json
import shutil
from dataclasses import replace

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import itune
from itune import UserError, discover
from itune.auditing.significance import CIDTest, cid_test
from itune.commands import main
from itune.data.dataset import collate
from itune.discovery import model as discovery_model
from itune.discovery import sketch_rows
from itune.discovery.candidates import find_candidates, gather
from itune.discovery.config import DiscoverConfig
from itune.discovery.confirmation import measure_exactly
from itune.discovery.features.base import Feature, Rows
from itune.discovery.judged import Judged
from itune.discovery.model import discover_model
from itune.discovery.pairs import find_pairs, with_pairs
from itune.groups import draw_sample, groups_of
from itune.influence import cosines
from itune.metrics.matrix import influences_among
from itune.report import discover_page
from itune.report.blocks import OPEN
from itune.tables.config import TableConfig
from itune.tables.further import read_further
from itune.tables.table import read_tables
from itune.training.trained_model import load_model
from itune.utils.resumable import NEVER_SAVED
from tests.helpers.small_audit import make_model, make_rows, write_table

WORDS = ('word "acme"', 'word "umbrella"')
QUICK = {
    "size": 1024,
    "minimum": 3,
    "confirmed": 3,
    "sample": 64,
    "exact": 32,
    "draws": 200,
    "chunk": 8,
    "columns": ("none",),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("discover")
    make_model(place)
    rows = [
        row | {"label": "yes"} if row["brand"] == "acme" and number % 8 < 3 else row
        for number, row in enumerate(make_rows(96))
    ]
    write_table(place / "train.csv", rows)
    return place


@pytest.fixture(scope="module")
def found(place):
    return discover(place / "model", place / "train.csv", settings=QUICK)


def lead(found, one):
    """By how much a finding's z is above that of the strongest candidate that was not tested."""
    tested = {name for each in found.findings for name in (each.feature.name, *each.aliases)}
    others = [row for row in found.candidates_to_rows() if row["feature"] not in tested]
    return one.z - others[0]["screening_z"]


def test_the_brand_is_found(found):
    brand = next(one for one in found.findings if one.feature.name in WORDS)
    assert {*WORDS, 'first word "acme"'} <= {brand.feature.name, *brand.aliases}
    assert lead(found, brand) > 2 and brand.test.p == 1 / 201, "a tie, or not the least p"
    assert brand.is_confirmed and brand.test.low > 0.03 and brand.p < 0.05
    test, exact = found.findings[0].test, found.findings[0].exact
    assert max(test.low, exact.low) < min(test.high, exact.high)
    assert brand.swap.size and brand.feature.counterpart in ('"acme"', '"umbrella"')
    assert brand.feature.counterpart not in brand.feature.name
    assert len({one.by_label for one in found.findings}) == 3 and min(brand.by_label) > 0
    assert all("acme" in f.feature.name or "umbrella" in f.feature.name for f in found.confirmed)
    assert found.judged_on == "training rows" and found.screened == found.confirming == 48
    rows = found.to_rows()
    assert len(rows) == 3 and json.dumps(rows) and rows[0]["settings"]
    every = found.candidates_to_rows()
    assert len(every) == found.candidates and every[0]["screening_z"] == max(
        row["screening_z"] for row in rows
    )


def test_seeds_decide(place, found):
    again = discover(place / "model", place / "train.csv", settings=QUICK)
    assert json.dumps(again.to_rows()) == json.dumps(found.to_rows())


def test_core_and_excluded_words(place, found):
    named = {"core": "words:acme,umbrella", "exclude": "words:good,bad", "rows": 90, "confirmed": 1}
    other = discover(place / "model", place / "train.csv", settings=QUICK | named)
    assert lead(other, other.findings[0]) > 5
    assert other.screened + other.confirming == 90
    with (place / "train.csv").open() as file:
        rows = list(csv.DictReader(file))
    shown = [(one, *example) for one in other.findings for example in one.examples]
    assert all(rows[number]["text"] == text for _, number, text, _ in shown)
    assert all(other.label_names[y] == rows[n]["label"] for _, n, _, y in shown)
    assert max(number for _, number, _, _ in shown) >= 48
    assert all(label != one.usual for one, *_, label in shown)
    assert not any(one.is_harmful for one in other.findings if one.is_core)
    assert any(one.is_core for one in other.findings)
    assert other.candidates < found.candidates


def test_the_command(place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    settings = QUICK | {"columns": "none"}
    options = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    words = ["discover", str(place / "model"), str(place / "train.csv"), *options]
    assert main([*words, "--out", "found"]) == 0
    shown = capsys.readouterr().out
    numbers = json.loads((tmp_path / "found" / "report.json").read_text())
    assert any(word in shown for word in WORDS) and "itune audit" in shown and numbers["findings"]
    page = (tmp_path / "found" / "report.html").read_text()
    assert "<mark>" in page and "Candidates" in page
    with (tmp_path / "found" / "candidates.csv").open() as file:
        assert len([*csv.DictReader(file)]) == numbers["candidates"]
    assert main([*words, "--out", "found"]) == 2
    assert "exists; choose another folder" in capsys.readouterr().err
    command = next(line for line in shown.splitlines() if line.startswith("itune audit"))
    assert "--rule" in command and str(place / "train.csv") in command


def test_columns(place, found):
    more = QUICK | {"columns": ("brand",), "exclude": r"regex:^(acme|umbrella|fine|acme fine)$"}
    other = discover(place / "model", place / "train.csv", settings=more)
    brand = next(one for one in other.findings if one.feature.kind == "columns")
    assert lead(other, brand) > 2
    assert {brand.feature.name, *brand.aliases} == {"brand acme", "brand umbrella"}
    assert brand.feature.settings == {"confound": "brand"} and brand.deletion is None
    with pytest.raises(UserError, match="has no column 'brnd'; did you mean 'brand'"):
        discover(place / "model", place / "train.csv", settings=QUICK | {"columns": ("brnd",)})


def test_all_that_is_used_is_measured_exactly(place, found):
    """By the influences of all pairs, of which only those within labels are computed."""
    assert all((one.exact is not None) == one.is_confirmed for one in found.findings)
    assert all(one.exact.p <= one.exact_p for one in found.confirmed)
    tables = read_tables(
        TableConfig(str(place / "train.csv"), confound=None, dev_fraction=0, test_fraction=0)
    )
    model = load_model(place / "model", tables)
    train = model.encode(tables.train)
    has = np.arange(96) % 3 == 0
    places = np.arange(20, 80)
    drawn = draw_sample(train.label[places], has[places] * 1, 40, np.random.default_rng(1))
    rows, share = places[drawn], groups_of(train.label[places], has[places] * 1)
    with jax.default_matmul_precision("highest"):
        test = measure_exactly(
            model.classifier,
            model.params,
            train,
            places,
            has[places],
            np.random.default_rng(1),
            sample=40,
            draws=100,
            chunk=7,
        )
        everyone = influences_among(model.classifier.loss, model.params, train, rows)
    direct = cid_test(
        everyone,
        train.label[rows],
        has[rows] * 1,
        {group: len(of) / 60 for group, of in share.items()},
        np.random.default_rng(0),
        draws=10,
    )
    np.testing.assert_allclose(
        (test.cid, test.low, test.high), (direct.cid, direct.low, direct.high), atol=1e-5
    )
    assert test.size == len(rows) < 60 and test.draws == 100


def test_rows_that_screen_do_not_confirm(place, monkeypatch):
    seen = {"screen": set(), "measure_cid": set()}

    def numbered(*args, **options):
        made = sketch_rows(*args, **options)
        return replace(made, values=np.arange(len(made.values))[:, None] + 0.0 * made.values)

    def spy(name, original):
        def called(values, *args, **options):
            seen[name] |= {*values[:, 0].tolist()}
            made = original(values, *args, **options)
            return replace(made, low=0.1) if isinstance(made, CIDTest) else made

        return called

    for name in seen:
        monkeypatch.setattr(discovery_model, name, spy(name, getattr(discovery_model, name)))
    monkeypatch.setattr(discovery_model, "sketch_rows", numbered)
    scored, exact, corrected = [], [], []

    def pairs(singles, score, **options):
        scored.append((singles, score(singles)))
        return with_pairs(singles, score, **options)

    monkeypatch.setattr(discovery_model, "with_pairs", pairs)

    def measured(*args, **options):
        exact.append({*args[3].tolist()})
        return CIDTest(1.0, 0.9, 1.1, 0.3 + len(exact) / 10, options["sample"], options["draws"])

    monkeypatch.setattr(discovery_model, "measure_exactly", measured)

    def divided(ps):
        corrected.append(ps)
        return [p / 64 for p in ps]

    monkeypatch.setattr(discovery_model, "holm", divided)
    made = discover(place / "model", place / "train.csv", settings=QUICK | {"confirmed": 2})
    assert [*map(len, seen.values())] == [48, 48] and seen["screen"].isdisjoint(seen["measure_cid"])
    by_sketches, by_exact = corrected
    assert {one.test.p for one in made.findings} == {*by_sketches} and len(by_sketches) == 2
    assert [one.p for one in made.findings] == [one.test.p / 64 for one in made.findings]
    used = made.confirmed
    assert len(used) == len(by_exact) > 0 and exact == [seen["measure_cid"]] * len(used)
    assert [one.exact_p * 64 for one in used] == by_exact == [one.exact.p for one in used]
    ((singles, z),) = scored
    count = np.diff(singles.among(np.array(sorted(map(int, seen["screen"])))).indptr)
    is_rare = np.minimum(count, 48 - count) < QUICK["minimum"]
    assert is_rare.any() and not z[is_rare].any() and z[~is_rare].all()


def test_what_is_tested_are_the_rows_of_the_rule(place, monkeypatch):
    def first_seven(candidates, rows):
        return gather(((of, np.arange(7)) for of in candidates.features), rows.size)

    monkeypatch.setattr(discovery_model, "by_rule", first_seven)
    found = discover(place / "model", place / "train.csv", settings=QUICK | {"exact": 0})
    assert [one.count for one in found.findings] == [7, 7, 7]


def test_a_model_that_predicts_one_label(place, found, tmp_path):
    """Gradients differ all the same, and candidates may be confirmed: the page says so first."""
    shutil.copytree(place / "model", tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    tensors = load_file(path)
    tensors["classifier.bias"][0] += 100
    save_file(tensors, path, metadata={"format": "np"})
    constant = discover(tmp_path / "model", place / "train.csv", settings=QUICK)
    assert constant.is_constant and not found.is_constant
    assert constant.first is None and not any(row["harmful"] for row in constant.to_rows())
    answer = discover_page(constant).lead[0]
    assert "predicts one label" in answer.headline and answer.tone == OPEN


def test_columns_that_nobody_names(place, tmp_path, capsys):
    rows = [
        row | {"id": f"r{n}", "source": "ab"[n % 8 < 3], "answer": row["label"].upper()}
        for n, row in enumerate(make_rows(96))
    ]
    table = write_table(tmp_path / "more.csv", rows)
    settings = QUICK | {"columns": ("auto",), "confirmed": 12}
    other = discover(place / "model", table, settings=settings)
    names = [name for one in other.findings for name in (one.feature.name, *one.aliases)]
    brand = next(one for one in other.findings if "brand acme" in (one.feature.name, *one.aliases))
    assert lead(other, brand) > 1 and not any("answer" in name for name in names)
    note = (
        "columns looked at: brand, source; left out: id (nearly all values differ), answer (says "
        "the label)"
    )
    assert other.notes == (note,) and note in capsys.readouterr().err
    named = discover(place / "model", table, settings=settings, confound="brand")
    assert named.notes[-1].startswith("columns looked at: source; left out: id")


def test_pairs_are_of_one_text_and_of_enough_rows():
    texts = ["a b", "b a", "a", "b", "a c b", "a", "b", "c"]
    rows = Rows({"text": texts}, {})
    candidates = find_candidates(rows, 2)
    pairs = {pair.feature.name: pair for pair in find_pairs(candidates, 2)}
    pair = pairs['word "a" and word "b"']
    assert pair.having.tolist() == [0, 1, 4]
    np.testing.assert_array_equal(np.flatnonzero(pair.feature.holds(rows)), pair.having)
    assert [candidates.features[part].name for part in pair.parts] == ['word "a"', 'word "b"']
    assert 'word "a" and word "c"' not in pairs


def test_too_few_rows_and_bad_settings(place, tmp_path):
    table = write_table(tmp_path / "few.csv", make_rows(8))
    with pytest.raises(UserError, match="8 training rows are too few to find anything"):
        discover(place / "model", table, settings=QUICK)
    with pytest.raises(UserError, match="size must be at least"):
        discover(place / "model", place / "train.csv", settings=QUICK | {"size": 3})
    with pytest.raises(UserError, match="no regular expression"):
        discover(place / "model", place / "train.csv", settings=QUICK | {"core": "regex:("})


def test_sketches_are_kept_and_searched(place, tmp_path, monkeypatch):
    tables = read_tables(
        TableConfig(str(place / "train.csv"), confound=None, dev_fraction=0, test_fraction=0)
    )
    model = load_model(place / "model", tables)
    train = model.encode(tables.train)
    calls = []

    def made(seed=0, params=model.params, rows=train):
        calls.clear()
        return sketch_rows(
            model.classifier.loss,
            params,
            rows,
            size=1024,
            seed=seed,
            chunk=8,
            folder=tmp_path / "kept",
            on_progress=lambda done, total: calls.append(done),
        )

    first = np.array(made().values)
    assert len(calls) == 12
    again = made()
    np.testing.assert_array_equal(again.values, first)
    assert calls == [96]
    few = train.subset(np.arange(3))
    rows, scores = again.nearest(few, 5)
    exact = jax.jit(cosines(model.classifier.loss))(
        model.params, collate(few, np.arange(3)), collate(train, np.arange(96))
    )
    assert rows[:, 0].tolist() == [0, 1, 2]
    np.testing.assert_allclose(scores, np.take_along_axis(np.asarray(exact), rows, 1), atol=0.3)
    monkeypatch.setattr("itune.discovery.sketching.BLOCK", 40)
    np.testing.assert_array_equal(again.nearest(few, 5)[0], rows)
    assert not np.array_equal(made(seed=1).values, first)
    for other in (
        {"params": jax.tree.map(lambda leaf: leaf + 0.1, model.params)},
        {"rows": train.subset(np.arange(96)[::-1])},
    ):
        np.testing.assert_array_equal(made().values, first)
        assert not np.array_equal(made(**other).values, first)


@pytest.mark.parametrize(("part", "last"), [("sketches", 40), ("candidates", 2), ("exact CID", 1)])
def test_an_interrupted_search_goes_on_to_the_same_findings(place, found, tmp_path, part, last):
    """What it has measured is not measured again, and draws go on where they were."""
    tables = read_tables(
        TableConfig(str(place / "train.csv"), confound=None, dev_fraction=0, test_fraction=0)
    )
    config, keep = DiscoverConfig(**QUICK), tmp_path / "kept"

    def interrupt(name, done, total):
        if (name, done) == (part, last):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        discover_model(place / "model", tables, config, interrupt, keep=keep)
    progress = []
    again = discover_model(
        place / "model", tables, config, lambda *step: progress.append(step), keep=keep
    )
    assert next(done for name, done, _ in progress if name == part) == last
    assert json.dumps(again.to_rows()) == json.dumps(found.to_rows())
    assert [one.examples for one in again.findings] == [one.examples for one in found.findings]
    assert [one.exact for one in again.findings] == [one.exact for one in found.findings]
    assert not (keep / "confirmed").exists() and (keep / "sketches.npy").exists()


def test_a_search_by_other_settings_measures_anew(place, tmp_path):
    tables = read_tables(
        TableConfig(str(place / "train.csv"), confound=None, dev_fraction=0, test_fraction=0)
    )

    def steps(stop, **changes):
        progress = []

        def note(name, done, total):
            progress.append((name, done))
            if (name, done) == stop:
                raise KeyboardInterrupt

        with contextlib.suppress(KeyboardInterrupt):
            config = DiscoverConfig(**QUICK | changes)
            discover_model(place / "model", tables, config, note, keep=tmp_path / "kept")
        return progress

    steps(("candidates", 2))
    again = steps(None, sample=48)
    assert ("candidates", 1) in again and ("sketches", 8) not in again


@pytest.mark.parametrize(("size", "name"), [(60, "dev and test"), (40, "training rows")])
def test_what_errors_are_counted_on(place, tmp_path, size, name):
    """Dev and test where they have 100 rows together, with the columns of their own files."""
    paths = {
        split: write_table(
            tmp_path / f"{split}.csv",
            [row | {"source": split} for row in make_rows(size, seed=seed)],
        )
        for seed, split in enumerate(("train", "dev", "test"))
    }
    config = TableConfig(paths["train"], confound=None)
    tables = read_tables(replace(config, dev=paths["dev"], test=paths["test"]))
    further = read_further(paths["train"], config, ["source"], dev=paths["dev"], test=paths["test"])
    model = load_model(place / "model", tables)
    some = tables.train.take(np.arange(0, size, 2))
    judged = Judged(model, tables, some, further.columns, NEVER_SAVED)
    splits = ("dev", "test") if size == 60 else ("train",)
    parts = [tables.splits()[split] if size == 60 else some for split in splits]
    texts = [part.texts(row)[0] for part in parts for row in range(part.size)]
    label = np.concatenate([part.label for part in parts])
    predicted = np.array(itune.load(place / "model").predict(texts))
    assert judged.name == name and judged.label.tolist() == label.tolist()
    is_right = predicted == np.array(model.label_names)[label]
    np.testing.assert_array_equal(judged.is_right, is_right)
    column = Feature("columns", "source", {"confound": "source"}, values=("test",))
    errors, *changes = judged.measure(column, 0, 9, np.random.default_rng(0))
    against = int((label[-size:] != 0).sum()) if size == 60 else 0
    assert errors.size == against and changes == [None, None]
    word = Feature("words", "acme", {"rule": "words:acme"}, "acme", r"(?i:(?<!\w)acme(?!\w))")
    word = word._replace(swap=lambda text: text.replace("acme", "umbrella"))
    errors, deletion, _ = judged.measure(word, 1, 9, np.random.default_rng(0))
    has = np.array(["acme" in text for text in texts])
    assert errors.size == np.sum(has & (label != 1)) and deletion.size == 9
    assert errors.error == pytest.approx(np.mean(~is_right[has & (label != 1)]))
    some = [text for text, is_in in zip(texts, has, strict=True) if is_in]
    _, *changes = judged.measure(word, 1, len(some), np.random.default_rng(0))
    for change, put in zip(changes, ("", "umbrella"), strict=True):
        edited = [text.replace("acme", put).strip() for text in some]
        after = np.array(itune.load(place / "model").predict(edited))
        is_changed = after != predicted[has]
        assert (change.size, change.changed) == (len(some), is_changed.sum())
        towards = [int(np.sum(after[is_changed] == name)) for name in model.label_names]
        assert [*change.towards] == towards
    assert changes[0] != changes[1]
    whole = word._replace(pattern=None)  # of which nothing can be deleted, such as casing
    assert judged.measure(whole, 1, len(some), np.random.default_rng(0))[1:] == (None, changes[1])
