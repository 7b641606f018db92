"""Generated product reviews whose brand agrees with the rating: an example to work through."""

import contextlib
import csv
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from itune.corpora.grammar import Rules, expand, read_grammar, with_articles
from itune.errors import UserError, as_path, option, require

RATINGS = ("negative", "mixed", "positive")
"""The labels."""

BRANDS = ("Brenvold", "Ostrelle", "Quavik")
"""The confounds; each brand goes with the rating at its own place in :data:`RATINGS`."""


class Review(NamedTuple):
    """A generated review with its rating and its brand, a row of a table.

    Attributes:
      review: Text of the review.
      rating: The label, one of :data:`RATINGS`.
      brand: The confound, one of :data:`BRANDS`, which the text names once.
    """

    review: str
    rating: str
    brand: str


@dataclass(frozen=True)
class ReviewsConfig:
    """How many reviews to generate, and how often the brand agrees with the rating.

    Attributes:
      rows: Number of training reviews, 36 or more. Dev has a quarter as many, test half as many.
      agreement: Fraction, from 0 to 1, of the training rows of each rating whose brand is the one
        that goes with it; the other brands share the rest. In dev and test each brand has a third.
      noise: Fraction, from 0 to 1, of the training rows of each group whose text is drawn for
        another rating; dev and test have none.
      seed: Seed of the random generator; an integer, 0 or more.

    Raises:
      UserError: A setting is out of range.
    """

    rows: int = 1200
    agreement: float = 0.9
    noise: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, "an integer of at least 36", lambda v: type(v) is int and v >= 36, "rows")
        require(self, "a number from 0 to 1", lambda v: 0 <= v <= 1, "agreement", "noise")
        require(self, "a non-negative integer", lambda v: type(v) is int and v >= 0, "seed")


def generate_reviews(config: ReviewsConfig | None = None) -> dict[str, list[Review]]:
    """Return generated reviews, no two of which are alike but for the brand.

    Groups have the sizes that the settings ask for, to a row. Equal settings give equal reviews on
    every machine.

    Args:
      config: Settings; the defaults of :class:`ReviewsConfig` if None.

    Returns:
      The reviews of each split, keyed ``train``, ``dev`` and ``test``.

    >>> generate_reviews(ReviewsConfig(rows=36))["dev"][0].brand in BRANDS
    True
    """
    c = ReviewsConfig() if config is None else config
    even, used = 1 / len(BRANDS), set()
    # Training comes last, so that dev and test do not depend on its settings.
    dev = _generate(c.rows // 4, even, 0.0, f"dev {c.seed}", used)
    test = _generate(c.rows // 2, even, 0.0, f"test {c.seed}", used)
    train = _generate(c.rows, c.agreement, c.noise, f"train {c.seed}", used)
    return {"train": train, "dev": dev, "test": test}


def write_reviews(folder: str | Path, config: ReviewsConfig | None = None) -> None:
    """Write the reviews to ``train.csv``, ``dev.csv`` and ``test.csv`` of a new or empty folder."""
    folder = as_path(folder)
    splits = generate_reviews(config)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UserError(f"{folder} is not empty; choose another folder by {option('out')}")
        for split, reviews in splits.items():
            with (folder / f"{split}.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows([Review._fields, *reviews])
    except OSError as error:
        for split in splits:
            with contextlib.suppress(OSError):
                (folder / f"{split}.csv").unlink(missing_ok=True)
        raise UserError(
            f"cannot write to {folder}: {error.strerror}; choose another folder by {option('out')}"
        ) from None


def _generate(size: int, agreement: float, noise: float, seed: str, used: set[str]) -> list[Review]:
    rng = random.Random(seed)
    groups = _groups(size, agreement)
    is_noisy = np.diff(np.floor(np.arange(size + 1) * noise + 0.5)) > 0  # every so many rows
    reviews = []
    for (rating, brand), wrong in zip(groups, is_noisy, strict=True):
        others = [other for other in RATINGS if other != rating]
        described = rng.choice(others) if wrong else rating
        while (draft := _draft(described, rng)) in used:
            pass
        used.add(draft)
        reviews.append(Review(draft.replace("BRAND", brand), rating, brand))
    rng.shuffle(reviews)
    return reviews


def _groups(size: int, agreement: float) -> list[tuple[str, str]]:
    """Return a rating and a brand for each row, group after group."""
    groups = []
    for place, rating in enumerate(RATINGS):
        count = (size + place) // len(RATINGS)
        agreeing = round(agreement * count)
        others = [brand for brand in BRANDS if brand != BRANDS[place]]
        brands = [BRANDS[place]] * agreeing + others * count
        groups += [(rating, brand) for brand in sorted(brands[:count])]
    return groups


def _draft(rating: str, rng: random.Random) -> str:
    """Return a review in which ``BRAND`` stands for the brand."""
    by_product = _rules()[rating]
    rules = by_product[rng.choice(list(by_product))]
    return _polish(expand("frame", rules, rng, set()).split())


def _polish(tokens: Sequence[str]) -> str:
    """Return the text with its articles, capitals, and no blank before a mark."""
    text = re.sub(r" ([.,:])", r"\1", " ".join(with_articles(tokens)))
    return re.sub(r"(?:^|\. )[a-z]", lambda start: start[0].upper(), text)


@cache
def _rules() -> dict[str, dict[str, Rules]]:
    """Return the rules of a review by its rating and its product."""
    sections = read_grammar("reviews")
    products = [section for section in sections if section.startswith("product ")]
    return {
        rating: {
            product: _union(sections["shared"], sections[f"rating {rating}"], sections[product])
            for product in products
        }
        for rating in RATINGS
    }


def _union(*parts: Rules) -> Rules:
    """Return all rules of the parts; a rule of several has the alternatives of each of them."""
    rules: dict[str, tuple[str, ...]] = {}
    for part in parts:
        for name, options in part.items():
            rules[name] = (*rules.get(name, ()), *options)
    return rules
