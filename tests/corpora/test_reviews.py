"""The worked case: readable reviews, groups to the row, brands that skew training alone."""

import re
from collections import Counter

import pytest

from itune import UserError
from itune.corpora import reviews as module
from itune.corpora.grammar import read_grammar
from itune.corpora.reviews import (
    BRANDS,
    RATINGS,
    ReviewsConfig,
    generate_reviews,
    write_reviews,
)
from itune.tables.config import TableConfig
from itune.tables.table import read_tables
from tests.helpers.grammar_cases import require_sound, unused_rules


@pytest.fixture(scope="module")
def splits():
    return generate_reviews()


def groups(reviews):
    return Counter((review.rating, review.brand) for review in reviews)


def test_groups_are_what_was_asked_for(splits):
    assert {name: len(reviews) for name, reviews in splits.items()} == {
        "train": 1200,
        "dev": 300,
        "test": 600,
    }
    train = groups(splits["train"])
    for place, rating in enumerate(RATINGS):
        assert [train[rating, brand] for brand in BRANDS] == [
            360 if brand == BRANDS[place] else 20 for brand in BRANDS
        ]
    for name in ("dev", "test"):
        sizes = groups(splits[name]).values()
        assert len(sizes) == 9 and max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(("rows", "agreement"), [(36, 0.5), (100, 1.0), (101, 0.0), (98, 1 / 3)])
def test_other_sizes(rows, agreement):
    train = generate_reviews(ReviewsConfig(rows=rows, agreement=agreement))["train"]
    found = groups(train)
    assert len(train) == rows
    for rating, brand in zip(RATINGS, BRANDS, strict=True):
        total = sum(found[rating, other] for other in BRANDS)
        assert abs(total - rows / 3) < 1 and abs(found[rating, brand] - agreement * total) <= 0.5


def test_each_names_its_brand_once_and_no_other(splits):
    for reviews in splits.values():
        for review in reviews:
            assert re.findall("|".join(BRANDS), review.review) == [review.brand]


def test_no_two_alike_but_for_the_brand(splits):
    texts = [re.sub("|".join(BRANDS), "", r.review) for part in splits.values() for r in part]
    assert len(set(texts)) == 2100


def test_what_was_drawn_before_is_drawn_again(monkeypatch):
    drafts = (f"{number // 2} BRAND" for number in range(1000))
    monkeypatch.setattr(module, "_draft", lambda rating, rng: next(drafts))
    found = generate_reviews(ReviewsConfig(rows=36))
    texts = [re.sub("|".join(BRANDS), "", r.review) for part in found.values() for r in part]
    assert len(texts) == len(set(texts)) == 63


def test_written_as_a_reader_expects(splits):
    for review in splits["train"]:
        text = review.review
        assert text[0].isupper() and text[-1] == "." and text.count(".") <= 6
        assert not re.search(r"[<>#@|]| [.,:]|  |[.,:][^ ]|\. [a-z]|BRAND", text[:-1]), text
        assert not re.search(r"\b[aA] [aeio]|\b[aA]n [^aeioh]| [aA]n? (a|the) ", text), text
        assert 10 <= len(text.split()) <= 60


def test_noise_is_even_over_the_groups_of_train_alone(splits, monkeypatch):
    told, draft = [], module._draft

    def remember(rating, rng):
        told.append(rating)
        return draft(rating, rng)

    monkeypatch.setattr(module, "_draft", remember)
    monkeypatch.setattr(module.random.Random, "shuffle", lambda rng, rows: None)
    found = generate_reviews()
    rows = [row for name in ("dev", "test", "train") for row in found[name]]
    wrong = Counter(row[1:] for row, tells in zip(rows, told, strict=True) if row.rating != tells)
    assert wrong == {group: size // 20 for group, size in groups(splits["train"]).items()}


def test_a_function_of_its_settings_alone(splits):
    assert generate_reviews(ReviewsConfig(seed=1)) != splits
    fair = generate_reviews(ReviewsConfig(agreement=1 / 3))
    assert (fair["dev"], fair["test"]) == (splits["dev"], splits["test"])


@pytest.mark.parametrize(
    ("rating", "product"),
    [(rating, product) for rating, products in module._rules().items() for product in products],
)
def test_the_rules_of_a_review_are_sound(rating, product):
    rules = module._rules()[rating][product]
    require_sound(rules)
    assert all(len(set(options)) == len(options) for options in rules.values())


def test_every_rule_is_used_by_a_review():
    combined = [rules for products in module._rules().values() for rules in products.values()]
    assert not set.intersection(*(unused_rules(rules, {"frame"}) for rules in combined))


def test_every_frame_has_the_brand_once():
    count = {"<item>": 1, "<bought>": 1, "<brand_note>": 1}
    for frame in read_grammar("reviews")["shared"]["frame"]:
        assert sum(count.get(word, 0) for word in frame.split()) == 1, frame


def test_it_is_a_table(tmp_path, splits):
    write_reviews(tmp_path / "a" / "b", ReviewsConfig(rows=36))
    config = TableConfig(
        train=str(tmp_path / "a" / "b"), text="review", label="rating", confound="brand"
    )
    tables = read_tables(config)
    assert [table.size for table in tables.splits().values()] == [36, 9, 18]
    assert tables.label_names == tuple(sorted(RATINGS)) and tables.confound_names == BRANDS


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match="is not empty; choose another folder by out"):
        write_reviews(tmp_path, ReviewsConfig(rows=36))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(UserError, match=r"cannot write to .*notes.txt: .*; choose another"):
        write_reviews(tmp_path / "notes.txt", ReviewsConfig(rows=36))


@pytest.mark.parametrize(
    "setting", [{"rows": 35}, {"rows": 40.0}, {"agreement": 1.1}, {"noise": -0.1}, {"seed": -1}]
)
def test_bad_settings(setting):
    with pytest.raises(UserError, match=rf"{next(iter(setting))} must be "):
        ReviewsConfig(**setting)
