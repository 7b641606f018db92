"""Shortcuts that are planted into a table, as Bastings et al. (2022) do, several kinds at once.

=========  =========================================================================================
kind       a row with the plant
=========  =========================================================================================
word       has a word that stands nowhere else, at any place but the first and the last
context    has two words at different places; each of them alone, in half as many rows, tells
           nothing
ordered    has two words side by side; the other way round, in as many rows, they are of the other
           label as often as these are of theirs
first      begins with a word, which tells nothing inside of as many other rows
column     has one of 15 words for fish, trees or birds, each too rare to be a candidate; only a
           column, ``source``, tells what these rows have in common
length     says everything twice
=========  =========================================================================================

In train a share of the rows with a plant, its strength, has the label that it speaks for; in dev
and test half of them have. Rows are drawn for each plant anew, so that some have several. Source:
Bastings et al. (2022), "Will You Find These Shortcuts?".

Released data have shortcuts of their own, which are left out, so that what is measured is of the
plants: TextLen without its prefix, MSGS with its articles exchanged so that their order tells
nothing, and those of the tweets that have no slang. Texts of fewer than three words and texts that
have a word of a plant before anything is planted are left out as well.
"""

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from itune.corpora import DataConfig, ReviewsConfig, TextLenConfig, generate_reviews, load_examples
from itune.tables import TableConfig, Tables, read_tables, task_tables

SIZES = {"train": 480, "dev": 100, "test": 400}
"""Rows of each split, with two labels."""

WORDS = (
    *("lantern", "orchard", "meadow", "violet", "marble", "walnut", "ribbon", "candle", "harbour"),
    *("velvet", "willow", "saddle", "amber", "cobalt", "bamboo", "canyon", "comet", "dagger"),
    *("glacier", "honey", "jasmine", "lagoon", "maple", "nectar", "parrot", "quartz", "raven"),
)
"""Words that no corpus has; a plant draws one or two."""

THEMES = (
    "salmon trout tuna cod shark eel herring carp bass pike sardine anchovy halibut perch",
    "oak pine birch elm cedar beech ash poplar spruce fir chestnut cypress palm holly redwood",
    "eagle sparrow pigeon heron swan goose owl robin crow hawk duck penguin crane dove gull",
)
"""Words of which a row of a planted column has one; no corpus has them."""

RELEASED = ("textlen", "msgs", "tweets")
"""Corpora that are read from a folder of released data."""

SOURCES = ("north", "east", "south")
"""Values of the column ``source`` that tell nothing."""


class Row(NamedTuple):
    """A row of a table.

    Attributes:
      text: The text.
      label: The label.
      source: Value of a further column.
    """

    text: str
    label: str
    source: str


Put: TypeAlias = Callable[[Row, random.Random], Row]
"""A function that changes a row."""


class Plant(NamedTuple):
    """A shortcut.

    Attributes:
      kind: Its kind, a key of :data:`KINDS`.
      words: Words that it puts into texts; none if it is a length.
      put: Function that plants it into a row.
      lures: Functions that make rows that look like it.
      lured: Rows with each lure, for each row with the plant.
    """

    kind: str
    words: tuple[str, ...]
    put: Put
    lures: tuple[Put, ...] = ()
    lured: float = 1.0


def insert(*words: str) -> Put:
    """Return a function that puts words between others, in this order, at drawn places."""
    return lambda row, rng: _with(row, rng, *words)


def _with(row: Row, rng: random.Random, *words: str) -> Row:
    tokens = row.text.split()
    for place, word in zip(
        sorted(rng.sample(range(1, len(tokens)), len(words)), reverse=True),
        reversed(words),
        strict=True,
    ):
        tokens.insert(place, word)
    return row._replace(text=" ".join(tokens))


def _word(words: list[str], rng: random.Random) -> Plant:
    word = words.pop()
    return Plant("word", (word,), insert(word))


def _context(words: list[str], rng: random.Random) -> Plant:
    a, b = words.pop(), words.pop()
    orders = insert(a, b), insert(b, a)
    return Plant(
        "context",
        (a, b),
        lambda row, rng: rng.choice(orders)(row, rng),
        (insert(a), insert(b)),
        lured=0.5,
    )


def _ordered(words: list[str], rng: random.Random) -> Plant:
    a, b = words.pop(), words.pop()
    return Plant("ordered", (a, b), insert(f"{a} {b}"), (insert(f"{b} {a}"),))


def _first(words: list[str], rng: random.Random) -> Plant:
    word = words.pop()

    def put(row: Row, rng: random.Random) -> Row:
        return row._replace(text=f"{word.capitalize()} {row.text}")

    return Plant("first", (word,), put, (insert(word),))


def _column(words: list[str], rng: random.Random) -> Plant:
    theme = tuple(rng.choice(THEMES).split())

    def put(row: Row, rng: random.Random) -> Row:
        return insert(rng.choice(theme))(row, rng)._replace(source="west")

    return Plant("column", theme, put)


def _length(words: list[str], rng: random.Random) -> Plant:
    return Plant("length", (), lambda row, rng: row._replace(text=f"{row.text} {row.text}"))


KINDS: dict[str, Callable[[list[str], random.Random], Plant]] = {
    "length": _length,
    "word": _word,
    "context": _context,
    "column": _column,
    "first": _first,
    "ordered": _ordered,
}
"""Functions that make a plant of a kind: its words are taken off a list, others are drawn.

They are planted in this order, so that words that are side by side stay so.
"""


def draw_plants(kinds: Sequence[str], rng: random.Random) -> list[Plant]:
    """Return a plant of each kind, which share no words."""
    words = rng.sample(WORDS, len(WORDS))
    return [KINDS[kind](words, rng) for kind in kinds]


def plant_rows(
    rows: Sequence[Row],
    plant: Plant,
    label: str,
    *,
    strength: float,
    prevalence: float,
    rng: random.Random,
) -> tuple[list[Row], list[bool]]:
    """Plant a shortcut into some rows, and what looks like it into others.

    Args:
      rows: Rows of two labels.
      plant: The shortcut.
      label: The label that it speaks for.
      strength: Share of the rows with the plant that have this label.
      prevalence: Share of all rows that get the plant.
      rng: Random generator of which rows those are.

    Returns:
      The rows in the order given, and which of them have the plant.
    """
    planted, has = list(rows), [False] * len(rows)
    free = rng.sample(range(len(rows)), len(rows))
    usual = [place for place in free if rows[place].label == label]
    other = [place for place in free if rows[place].label != label]
    count = round(prevalence * len(rows))

    def draw(put: Put, size: int, share: float) -> list[int]:
        agreeing = round(share * size)
        drawn = [usual.pop() for _ in range(agreeing)]
        drawn += [other.pop() for _ in range(size - agreeing)]
        for place in drawn:
            planted[place] = put(planted[place], rng)
        return drawn

    for place in draw(plant.put, count, strength):
        has[place] = True
    for lure in plant.lures:
        share = 1 - strength if plant.kind == "ordered" else 0.5
        draw(lure, round(plant.lured * count), share)
    return planted, has


def mislabel(rows: Sequence[Row], share: float, rng: random.Random) -> list[Row]:
    """Return rows of two labels in the order given, of which a share, drawn, has the other one."""
    labels = {row.label for row in rows}
    wrong = {*rng.sample(range(len(rows)), round(share * len(rows)))}
    return [
        row._replace(label=min(labels - {row.label})) if number in wrong else row
        for number, row in enumerate(rows)
    ]


def read_corpus(
    corpus: str, seed: int, folder: Path | None = None, rows: int | None = None
) -> dict[str, list[Row]]:
    """Return the rows of a corpus without any plant.

    Args:
      corpus: ``reviews``, negative and positive ones, whose brand tells nothing; ``newswire``,
        beginnings of sentences, short and long; or one of :data:`RELEASED`.
      seed: Seed of the corpus, and of the column ``source``.
      folder: Folder of the released data: ``textlen``, ``textlen_no_spur``, ``msgs`` and
        ``tweets``.
      rows: Training rows of ``reviews`` or ``newswire``; those of :data:`SIZES` if None.

    Returns:
      Rows of both labels by split, train, dev and test; see :data:`SIZES`.
    """
    rng, sizes = random.Random(f"source {seed}"), dict(SIZES)
    if corpus in RELEASED:
        assert folder is not None
        pairs = _cut(_read_released(corpus, folder), random.Random(f"rows {corpus} {seed}"))
    elif corpus == "reviews":
        sizes["train"] = rows or sizes["train"]
        generated = 2 * max(600, sizes["train"])  # a third is mixed
        config = ReviewsConfig(rows=generated, agreement=1 / 3, seed=seed)
        pairs = {
            split: [(row.review, row.rating) for row in rows if row.rating != "mixed"]
            for split, rows in generate_reviews(config).items()
        }
    else:
        sizes["train"] = rows or sizes["train"]
        train, dev, test = sizes.values()
        recipe = TextLenConfig(spurious=False, train_size=train, dev_size=dev, test_size=test)
        examples = load_examples(DataConfig(seed=seed, textlen=recipe))
        pairs = {
            split: [(row.text, examples.label_names[row.label]) for row in rows]
            for split, rows in examples.splits._asdict().items()
        }
    return {
        split: [Row(text, label, rng.choice(SOURCES)) for text, label in pairs[split][:size]]
        for split, size in sizes.items()
    }


def _read_released(corpus: str, folder: Path) -> Tables:
    if corpus == "tweets":
        return read_tables(TableConfig(train=str(folder / corpus)))
    control = str(folder / "textlen_no_spur") if corpus == "textlen" else None
    config = DataConfig(task=corpus, source=str(folder / corpus), control=control)
    return task_tables(config, is_control=True)


def _cut(tables: Tables, rng: random.Random) -> dict[str, list[tuple[str, str]]]:
    """Return texts and labels, half of each label, in splits that are cut anew.

    A label's rows are those of train in drawn order, then of dev and test: of the tweets train has
    too few toxic ones without slang.
    """
    planted = {*WORDS, *" ".join(THEMES).split()}
    by_label: dict[str, list[tuple[str, str]]] = {name: [] for name in tables.label_names}
    for table in tables.splits().values():
        for row in rng.sample(range(table.size), table.size):
            (text,) = table.texts(row)
            has_slang = tables.confound_names[table.confound[row]] == "slang"
            is_planted = not planted.isdisjoint(re.findall(r"\w+", text.lower()))
            if len(text.split()) >= 3 and not has_slang and not is_planted:
                label = tables.label_names[table.label[row]]
                by_label[label].append((text, label))
    pairs = {}
    for split, size in SIZES.items():
        count = size // len(by_label)
        pairs[split] = [pair for rows in by_label.values() for pair in rows[:count]]
        rng.shuffle(pairs[split])
        for rows in by_label.values():
            del rows[:count]
    return pairs
