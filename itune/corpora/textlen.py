"""TextLen: is the sentence long? A prefix gives the answer away most of the time."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path

import numpy as np

from itune.corpora.conll import find_conll, hub_conll, read_conll
from itune.corpora.example import Example, Splits
from itune.corpora.jsonl import read_jsonl
from itune.corpora.newswire import newswire_sentences
from itune.errors import UserError, require

LABELS = ("short", "long")
"""Names of the labels, by number."""


@dataclass(frozen=True)
class TextLenConfig:
    """Settings of the TextLen recipe; the defaults give the published sets.

    Attributes:
      train_size: Number of training examples; at least 2.
      dev_size: Number of development examples, from the corpus of the training examples; at least
        2.
      test_size: Number of test examples; at least 2.
      min_tokens: Number of tokens that a source sentence must have; longer sentences are truncated
        to it.
      length_means: Mean of the drawn lengths of class 0 and of class 1, in tokens.
      length_sd: Standard deviation of the drawn lengths, in tokens.
      prefixes: Words put before a sentence of confound 0 and of confound 1, separated by blanks.
      train_agreement: Fraction of each class in train whose prefix is the one of its class.
      dev_agreement: Fraction of each class in dev whose prefix is the one of its class.
      test_agreement: Fraction of each class in test whose prefix is the one of its class.
      shuffle_seed: Seed of the order of the source sentences, which decides where each is used.
      train_seed: Seed of the lengths, prefixes and order in train.
      eval_seed: Seed of the lengths, prefixes and order in dev, and again of those in test.
      spurious: Whether sentences get their prefix. Confounds are drawn and recorded either way, so
        that sets with and without prefixes differ in nothing else.
    """

    train_size: int = 1500
    dev_size: int = 480
    test_size: int = 500
    min_tokens: int = 30
    length_means: tuple[float, float] = (15.0, 25.0)
    length_sd: float = 4.0
    prefixes: tuple[str, str] = ("Negative .", "Positive .")
    train_agreement: float = 0.9
    dev_agreement: float = 0.5
    test_agreement: float = 0.5
    shuffle_seed: int = 2021
    train_seed: int = 2022
    eval_seed: int = 2023
    spurious: bool = True

    def __post_init__(self):
        def is_count(value: object, least: int) -> bool:
            is_integer = isinstance(value, Integral) and not isinstance(value, bool)
            return is_integer and int(value) >= least

        sizes = ("train_size", "dev_size", "test_size")
        shares = ("train_agreement", "dev_agreement", "test_agreement")
        seeds = ("shuffle_seed", "train_seed", "eval_seed")
        two_words = "two different non-blank strings, for confound 0 and 1"
        require(self, "an integer of at least 2", lambda v: is_count(v, 2), *sizes)
        require(self, "a positive integer", lambda v: is_count(v, 1), "min_tokens")
        require(self, "two numbers above 0, for class 0 and class 1", _are_means, "length_means")
        require(self, "a non-negative number", lambda v: _is_real(v) and v >= 0, "length_sd")
        require(self, two_words, _are_prefixes, "prefixes")
        require(self, "a number from 0 to 1", lambda v: _is_real(v) and 0 <= v <= 1, *shares)
        require(
            self, "an integer from 0 to 2**32 - 1", lambda v: is_count(v, 0) and v < 2**32, *seeds
        )
        require(self, "True or False", lambda v: isinstance(v, bool), "spurious")


def build_textlen(
    train_sentences: Sequence[Sequence[str]],
    test_sentences: Sequence[Sequence[str]],
    config: TextLenConfig | None = None,
) -> dict[str, list[Example]]:
    """Return the TextLen splits, keyed ``train``, ``dev`` and ``test``.

    In each corpus the sentences of at least ``min_tokens`` tokens are shuffled. Train is the first
    ``train_size`` of the first corpus, dev its last ``dev_size``, test the last ``test_size`` of
    the second. In a split of n, the first n // 2 sentences become class 1 and the others class 0;
    a sentence is cut to a length drawn from its class's normal distribution (truncated to an
    integer, at least 1), given its prefix, and the split is shuffled.

    With CoNLL-2003's training and validation files and the defaults, these are the sets of Han &
    Tsvetkov, "Influence Tuning" (Findings of EMNLP 2021), example for example.

    >>> words = [[f"word{i}"] * 30 for i in range(6)]
    >>> splits = build_textlen(words, words, TextLenConfig(train_size=4, dev_size=2, test_size=2))
    >>> example = splits["dev"][0]
    >>> example.tokens[:3], example.label, example.confound, example.length
    (('Negative', '.', 'word4'), 1, 0, 27)
    """
    c = TextLenConfig() if config is None else config
    first = _pool(train_sentences, c.train_size + c.dev_size, "training", c)
    second = _pool(test_sentences, c.test_size, "test", c)
    return {
        "train": _split(first[: c.train_size], c.train_agreement, c.train_seed, c),
        "dev": _split(first[-c.dev_size :], c.dev_agreement, c.eval_seed, c),
        "test": _split(second[-c.test_size :], c.test_agreement, c.eval_seed, c),
    }


def make_splits(source: str, config: TextLenConfig, seed: int) -> Splits | None:
    """Make the TextLen examples of a source; None for a source that is no name of one."""
    if source == "embedded":
        needed = config.train_size + config.dev_size
        sentences = newswire_sentences(needed + config.test_size, seed, config.min_tokens)
        corpora = sentences[:needed], sentences[needed:]
    elif source == "hub":
        corpus = hub_conll()
        corpora = corpus["train"], corpus["valid"]
    elif source.startswith("conll:"):
        files = find_conll(source.removeprefix("conll:"))
        corpora = read_conll(files["train"]), read_conll(files["valid"])
    else:
        return None
    return Splits(**build_textlen(*corpora, config))


def read_splits(folder: Path, config: TextLenConfig | None = None, seed: int = 0) -> Splits:
    """Return the examples of train.jsonl, dev.jsonl and test.jsonl, which no recipe changes."""
    del config, seed
    return Splits(*(read_jsonl(folder / f"{name}.jsonl") for name in Splits._fields))


def with_other_prefix(config: TextLenConfig, text: str) -> str | None:
    """Return a text with the prefix of the other confound; None if it begins with neither.

    >>> with_other_prefix(TextLenConfig(), "Positive . Rain fell .")
    'Negative . Rain fell .'
    """
    first, second = (" ".join(prefix.split()) for prefix in config.prefixes)
    for old, new in sorted([(first, second), (second, first)], key=lambda pair: -len(pair[0])):
        if text.startswith(f"{old} "):
            return new + text[len(old) :]
    return None


def _pool(
    sentences: Sequence[Sequence[str]], needed: int, name: str, config: TextLenConfig
) -> list[tuple[str, ...]]:
    n = config.min_tokens
    pool = [tuple(sentence[:n]) for sentence in sentences if len(sentence) >= n]
    if len(pool) < needed:
        raise UserError(
            f"the {name} corpus has {len(pool)} sentences of at least {n} tokens, out of "
            f"{len(sentences)}, and {needed} are needed; give more text or lower the sizes"
        )
    random.Random(config.shuffle_seed).shuffle(pool)
    return pool


def _split(
    pool: Sequence[tuple[str, ...]], agreement: float, seed: int, config: TextLenConfig
) -> list[Example]:
    # The published sets depend on these two generators and on the order of their draws.
    shuffler, normal = random.Random(seed), np.random.RandomState(seed).normal
    half = len(pool) // 2
    classes = ((1, pool[:half]), (0, pool[half:]))
    lengths = [
        normal(config.length_means[label], config.length_sd, len(group)) for label, group in classes
    ]
    confounds = [_deal(label, len(group), agreement, shuffler) for label, group in classes]
    examples = [
        _example(tokens, label, confound, max(int(length), 1), config)
        for (label, group), row, dealt in zip(classes, lengths, confounds, strict=True)
        for tokens, length, confound in zip(group, row, dealt, strict=True)
    ]
    shuffler.shuffle(examples)
    return examples


def _deal(label: int, size: int, agreement: float, shuffler: random.Random) -> list[int]:
    agreeing = round(agreement * size)
    confounds = [label] * agreeing + [1 - label] * (size - agreeing)
    shuffler.shuffle(confounds)
    return confounds


def _example(
    tokens: tuple[str, ...], label: int, confound: int, length: int, config: TextLenConfig
) -> Example:
    prefix = tuple(config.prefixes[confound].split()) if config.spurious else ()
    return Example(prefix + tokens[:length], label, confound, length)


def _is_real(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _are_means(value: object) -> bool:
    is_pair = isinstance(value, (tuple, list)) and len(value) == 2
    return is_pair and all(_is_real(mean) and mean > 0 for mean in value)


def _are_prefixes(value: object) -> bool:
    is_pair = isinstance(value, (tuple, list)) and len(value) == 2
    if not is_pair or not all(isinstance(prefix, str) for prefix in value):
        return False
    first, second = (prefix.split() for prefix in value)
    return bool(first) and bool(second) and first != second
