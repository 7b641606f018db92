"""Write the TextLen sets as train.jsonl, dev.jsonl and test.jsonl.

``python experiments/build_textlen.py --conll FOLDER --out data/textlen``; with ``--spurious false``
the prefix is left out.
"""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from itune import UserError
from itune.cli import run_main
from itune.config import parse
from itune.corpora import DataConfig, Splits, TextLenConfig, load_examples, write_jsonl
from itune.groups import Group
from itune.utils import to_text

SOURCES = ("hub", "embedded")
GROUPS = [Group(label, confound) for label in (0, 1) for confound in (0, 1)]


@dataclass(frozen=True, kw_only=True)
class Build(TextLenConfig):
    """Where the sentences come from, and what is made of them.

    Attributes:
      conll: Folder of CoNLL files; ``hub`` for the data set of the Hugging Face hub; or
        ``embedded`` for generated newswire, which needs neither files nor a network.
      out: Folder to write to.
      overwrite: Whether to replace files that are there.
      seed: Seed of the generated newswire.
    """

    conll: str
    out: Path
    overwrite: bool = False
    seed: int = 2021


def main(argv: list[str]) -> None:
    """Build, write and sum up."""
    description = "Write the TextLen sets as train.jsonl, dev.jsonl and test.jsonl."
    config = parse(Build, None, argv, prog="build_textlen.py", description=description)
    source = config.conll if config.conll in SOURCES else f"conll:{config.conll}"
    splits = load_examples(DataConfig(source=source, seed=config.seed, textlen=config)).splits
    write_splits(splits, config.out, config.overwrite)
    rows = []
    for split, examples in splits._asdict().items():
        counts = Counter((example.label, example.confound) for example in examples)
        rows.append([split, len(examples), *(counts[group] for group in GROUPS)])
    print(to_text(["split", "examples", *map(str, GROUPS)], rows))


def write_splits(splits: Splits, folder: Path, overwrite: bool) -> None:
    """Write one file a split; without ``overwrite``, nothing at all if one is there."""
    files = [folder / f"{split}.jsonl" for split in Splits._fields]
    there = [str(file) for file in files if file.exists()]
    if there and not overwrite:
        raise UserError(f"{there[0]} exists; name another --out, or add --overwrite")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror
        raise UserError(f"{folder}: cannot be made ({reason}); name another --out") from None
    for examples, file in zip(splits, files, strict=True):
        write_jsonl(examples, file)


if __name__ == "__main__":
    sys.exit(run_main(main))
