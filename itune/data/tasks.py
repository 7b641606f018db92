"""Tasks by name: where the examples of a run come from."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from itune.data.conll import find_conll, hub_conll, read_conll
from itune.data.example import Example
from itune.data.jsonl import read_jsonl
from itune.data.newswire import newswire_sentences
from itune.data.textlen import TextLenConfig, build_textlen
from itune.errors import UserError

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class DataConfig:
    """Where a run's examples come from.

    Attributes:
      source: ``embedded`` (TextLen of generated newswire), ``hub`` (of the hub's CoNLL-2003),
        ``conll:FOLDER`` (of CoNLL files), or a folder of train.jsonl, dev.jsonl and test.jsonl.
      seed: of the embedded newswire.
      textlen: the recipe, for all sources but a folder.
    """

    source: str = "embedded"
    seed: int = 0
    textlen: TextLenConfig = field(default_factory=TextLenConfig)

    @property
    def name(self) -> str:
        """What to call the task: ``textlen``, or a folder's name."""
        return Path(self.source).name if Path(self.source).is_dir() else "textlen"


class Splits(NamedTuple):
    """The examples of a run."""

    train: list[Example]
    dev: list[Example]
    test: list[Example]

    def digest(self) -> str:
        """SHA-256 of all examples in order, in hexadecimal."""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()

    @property
    def label_count(self) -> int:
        """One more than the largest training label."""
        return 1 + max(example.label for example in self.train)


def load_splits(config: DataConfig) -> Splits:
    """Reads or makes the examples.

    Raises:
      UserError: the source is missing or malformed, training has one class only or a gap between
        its labels, or another split has a label or confound that training has not.
    """
    source, recipe = config.source, config.textlen
    if source == "embedded":
        needed = recipe.train_size + recipe.dev_size
        sentences = newswire_sentences(needed + recipe.test_size, config.seed, recipe.min_tokens)
        splits = build_textlen(sentences[:needed], sentences[needed:], recipe)
    elif source == "hub":
        corpus = hub_conll()
        splits = build_textlen(corpus["train"], corpus["valid"], recipe)
    elif source.startswith("conll:"):
        files = find_conll(Path(source.removeprefix("conll:")))
        splits = build_textlen(read_conll(files["train"]), read_conll(files["valid"]), recipe)
    elif Path(source).is_dir():
        splits = {name: read_jsonl(Path(source) / f"{name}.jsonl") for name in SPLITS}
    else:
        raise UserError(
            f"data.source {source!r} is neither a folder nor one of embedded, hub, conll:FOLDER"
        )
    result = Splits(**splits)
    _validate(result)
    return result


def _validate(splits: Splits) -> None:
    for field_name in ("label", "confound"):
        known = {getattr(example, field_name) for example in splits.train}
        if field_name == "label" and len(known) < 2:
            raise UserError(
                f"every training example has label {known.pop()}; a classifier needs two classes"
            )
        gap = min(set(range(len(known))) - known, default=None)
        if field_name == "label" and gap is not None:
            raise UserError(
                f"no training example has label {gap}, but one has label {max(known)}; number the "
                "classes from 0 without gaps"
            )
        for name in ("dev", "test"):
            new = {getattr(example, field_name) for example in getattr(splits, name)} - known
            if new:
                raise UserError(
                    f"{field_name} {min(new)} occurs in {name} but never in train; remove those "
                    "examples or add some to train"
                )
