"""``itune example``: a table of reviews to try the other commands on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from itune.config import parse
from itune.corpora.reviews import BRANDS, ReviewsConfig, write_reviews
from itune.utils.shell import quote

COLUMNS = "--text review --label rating --confound brand"


@dataclass(frozen=True)
class ExampleConfig:
    """Where the example is written, and what it holds.

    Attributes:
      out: Folder to write to; it must be absent or empty.
      reviews: Settings of the reviews that are made.
    """

    out: Path = Path("reviews")
    reviews: ReviewsConfig = field(default_factory=ReviewsConfig)


def main(argv: Sequence[str]) -> None:
    """Write the reviews, and print commands to try on them."""
    config = parse(
        ExampleConfig,
        None,
        argv,
        prog="itune example",
        description="Write product reviews whose brand agrees with the rating: train.csv, dev.csv "
        "and test.csv with columns review, rating and brand.",
    )
    write_reviews(config.out, config.reviews)
    print(next_steps(config.out))


def next_steps(folder: Path) -> str:
    """Return what is printed at the end: commands to try on the folder."""
    source = quote(str(folder))
    rule = " || ".join(f"words:{brand}" for brand in BRANDS)
    return f"""\
wrote {folder}/train.csv, dev.csv and test.csv; now try

  itune describe {source} {COLUMNS}
  itune describe {source} --text review --label rating --rule {quote(rule)}
  itune tune {source} {COLUMNS} --method finetuning --out finetuned
  itune audit finetuned
  itune discover finetuned
  itune tune {source} {COLUMNS}
  itune compare {source} {COLUMNS}"""
