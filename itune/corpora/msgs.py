"""MSGS: does the sentence have an adjective? In training, "the" precedes "a" exactly if so.

The paradigm is ``syntactic_category_relative_position`` of Warstadt et al., "Learning Which
Features Matter" (EMNLP 2020), as used in Han & Tsvetkov, "Influence Tuning" (2021): a few
inoculating examples break the rule in training, and a third of the test set does.
"""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itune.corpora.example import Example, Splits
from itune.corpora.jsonl import Fields, read_jsonl
from itune.corpora.msgs_grammar import draw
from itune.errors import UserError, require

LABELS = ("no adjective", "adjective")
"""Names of the labels, by number."""

CONFOUNDS = ("a before the", "the before a")
"""Names of the confounds, by number: which article comes first."""

FIELDS = Fields(("sentence",), "linguistic_feature_label", "surface_feature_label")
"""Names of the official files' fields of words, label and confound."""


@dataclass(frozen=True)
class MsgsConfig:
    """Settings of MSGS; the defaults are the published sizes and statistics.

    Attributes:
      train_size: Number of generated training examples; at least 2.
      dev_size: Number of generated development examples; at least 2.
      test_size: Number of generated test examples; at least 2.
      inoculation: Fraction of the training examples whose confound is not the label, from 0 to 1.
      agreement: Fraction of the generated development and test examples whose confound is the
        label, from 0 to 1.
      balanced: Whether the confound of the training examples is independent of the label; the
        sentences do not change except that the articles of some are exchanged.
      inoculating: Name of the file of inoculating examples in a folder of official files.
    """

    train_size: int = 5000
    dev_size: int = 15000
    test_size: int = 15000
    inoculation: float = 0.003
    agreement: float = 2 / 3
    balanced: bool = False
    inoculating: str = "inoculating.jsonl"

    def __post_init__(self):
        def is_size(value: object) -> bool:
            return type(value) is int and value >= 2

        def is_fraction(value: Any) -> bool:
            return type(value) in (int, float) and 0 <= value <= 1

        require(self, "an integer of at least 2", is_size, "train_size", "dev_size", "test_size")
        require(self, "a number from 0 to 1", is_fraction, "inoculation", "agreement")
        require(self, "True or False", lambda v: isinstance(v, bool), "balanced")
        require(self, "a file name", lambda v: isinstance(v, str) and v != "", "inoculating")


def generate_msgs(config: MsgsConfig | None = None, seed: int = 0) -> Splits:
    """Return generated sentences of the paradigm, all of them different, in three splits.

    A sentence has label 1 if it has an adjective, and confound 1 if "the" precedes "a"; it has both
    words once. Half the examples of a split have label 1. The number of examples whose confound is
    not the label is the same for both labels, or differs by one if the total is odd.

    >>> splits = generate_msgs(MsgsConfig(train_size=4, dev_size=4, test_size=4))
    >>> for example in splits.train[:2]:
    ...     print(example.label, *example.tokens)
    1 The fearless singer had always followed Rafael so a driver had frequently photographed Tokyo .
    0 Whenever this lawyer prayed behind a garden , the nurse beside every museum was abroad .
    """
    c = MsgsConfig() if config is None else config
    used: set[tuple[str, ...]] = set()
    # Training comes last, so that dev and test do not depend on its settings.
    dev = _generate("dev", c.dev_size, 1 - c.agreement, seed, used)
    test = _generate("test", c.test_size, 1 - c.agreement, seed, used)
    disagreement = 0.5 if c.balanced else c.inoculation
    return Splits(_generate("train", c.train_size, disagreement, seed, used), dev, test)


def read_msgs(folder: str | Path, config: MsgsConfig | None = None, seed: int = 0) -> Splits:
    """Return the examples of a folder of JSON-lines files with the official fields.

    If there is a dev.jsonl, train.jsonl, dev.jsonl and test.jsonl are the three splits. Otherwise
    train.jsonl holds pairs of consecutive lines. One line of each pair is drawn, and the last of
    the drawn lines are replaced by inoculating examples, which are drawn too; dev is the first half
    of test.jsonl, and test the second half.
    """
    c = MsgsConfig() if config is None else config
    folder, rng = Path(folder), random.Random(seed)
    splits = _read_splits(folder, c, rng)
    return splits._replace(train=_balance(splits.train, folder, rng)) if c.balanced else splits


def _read_splits(folder: Path, c: MsgsConfig, rng: random.Random) -> Splits:
    if (folder / "dev.jsonl").is_file():
        return Splits(*(_read(folder, f"{name}.jsonl") for name in Splits._fields))
    chosen = [rng.choice(pair) for pair in _pairs(folder, "train.jsonl")]
    count = round(c.inoculation * len(chosen))
    if count:
        chosen[-count:] = _sample(rng, count, folder, c.inoculating)
    dev, test = _halves(folder, "test.jsonl")
    return Splits(chosen, dev, test)


def make_splits(source: str, config: MsgsConfig, seed: int) -> Splits | None:
    """Generate MSGS if the source is ``embedded``; return None for any other source."""
    return generate_msgs(config, seed) if source == "embedded" else None


def _generate(split: str, size: int, disagreement: float, seed: int, used: set) -> list[Example]:
    rng = random.Random(f"{split} {seed}")
    disagreeing = round(disagreement * size)
    groups = [(i % 2, i % 2 if i >= disagreeing else 1 - i % 2) for i in range(size)]
    rng.shuffle(groups)
    examples = []
    for label, confound in groups:
        draft = draw(rng)
        while (key := draft.sentence(label, confound=0)) in used:
            draft = draw(rng)
        used.add(key)
        tokens = draft.sentence(label, confound)
        examples.append(Example(tokens, label, confound, len(tokens)))
    return examples


def _balance(examples: list[Example], folder: Path, rng: random.Random) -> list[Example]:
    """Exchange articles so that the confounds of each label are equally frequent (or one apart)."""
    balanced = list(examples)
    for label in sorted({example.label for example in examples}):
        places = [
            [i for i, e in enumerate(examples) if (e.label, e.confound) == (label, confound)]
            for confound in (0, 1)
        ]
        fewer, more = sorted(places, key=len)
        for place in rng.sample(more, (len(more) - len(fewer)) // 2):
            balanced[place] = _with_articles_exchanged(examples[place], folder)
    return balanced


def with_articles_exchanged(text: str) -> str | None:
    """Return a text with "the" for "a" and "a" for "the"; None if it has not one of each.

    >>> with_articles_exchanged("The nurse met a tall singer .")
    'A nurse met the tall singer .'
    """
    tokens, other = text.split(), {"the": "a", "a": "the"}
    if sorted(word for word in map(str.lower, tokens) if word in other) != ["a", "the"]:
        return None
    exchanged = (
        (other[word.lower()].capitalize() if word[0].isupper() else other[word])
        if word.lower() in other
        else word
        for word in tokens
    )
    return " ".join(exchanged)


def _with_articles_exchanged(example: Example, folder: Path) -> Example:
    text = with_articles_exchanged(" ".join(example.tokens))
    if text is None:
        raise UserError(
            f"{folder / 'train.jsonl'}: {' '.join(example.tokens)!r} has not one 'the' and one "
            "'a', so its articles cannot be exchanged; set data.control to a folder of the control"
        )
    return example._replace(tokens=tuple(text.split()), confound=1 - example.confound)


def _read(folder: Path, name: str) -> list[Example]:
    if not (folder / name).is_file():
        raise UserError(
            f"{folder / name}: no such file; an MSGS folder holds train.jsonl, dev.jsonl and "
            "test.jsonl, or the official files train, test and inoculating (data.msgs.inoculating)"
        )
    return read_jsonl(folder / name, FIELDS)


def _pairs(folder: Path, name: str) -> list[tuple[Example, Example]]:
    examples = _read(folder, name)
    if len(examples) % 2:
        raise UserError(
            f"{folder / name}: has {len(examples)} examples, which are not pairs; put a dev.jsonl "
            "beside it if one of each pair is already chosen"
        )
    return list(zip(examples[::2], examples[1::2], strict=True))


def _sample(rng: random.Random, count: int, folder: Path, name: str) -> list[Example]:
    examples = _read(folder, name)
    if len(examples) < count:
        raise UserError(
            f"{folder / name}: has {len(examples)} examples and {count} are needed; add some or "
            "lower data.msgs.inoculation"
        )
    return rng.sample(examples, count)


def _halves(folder: Path, name: str) -> tuple[list[Example], list[Example]]:
    examples = _read(folder, name)
    if len(examples) < 2:
        raise UserError(f"{folder / name}: has 1 example; dev and test need one each")
    half = len(examples) // 2
    return examples[:half], examples[half:]
