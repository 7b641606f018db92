"""Write the TextLen sets as train.jsonl, dev.jsonl and test.jsonl.

    python experiments/build_textlen.py --conll FOLDER --out data/textlen
    python experiments/build_textlen.py --conll hub --out data/textlen_no_spur --no-spurious
    python experiments/build_textlen.py --conll embedded --out data/textlen_newswire

The sentences come from a folder of CoNLL files, from the Hugging Face hub, or from the embedded
newswire generator, which needs neither files nor a network.
"""

import argparse
import dataclasses
import sys
from collections import Counter
from pathlib import Path

from itune import UserError
from itune.cli import Parser, run_main
from itune.config import attribute_help
from itune.corpora import (
    Example,
    TextLenConfig,
    build_textlen,
    find_conll,
    hub_conll,
    newswire_sentences,
    read_conll,
    write_jsonl,
)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser: the three paths and switches, and an option for every TextLen knob."""
    parser = Parser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--conll", required=True, default=argparse.SUPPRESS, help="a folder, or hub, or embedded"
    )
    parser.add_argument(
        "--out", required=True, type=Path, default=argparse.SUPPRESS, help="folder to write to"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files already there")
    parser.add_argument("--no-spurious", action="store_true", help="leave the prefix out")
    parser.add_argument("--seed", type=int, default=2021, help="of the embedded generator")
    told = attribute_help(TextLenConfig)
    for field in dataclasses.fields(TextLenConfig):
        default = field.default
        if isinstance(default, bool):  # --no-spurious, above
            continue
        pair = isinstance(default, tuple)
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=type(default[0] if pair else default),
            nargs=2 if pair else None,
            default=default,
            help=told[field.name],
        )
    return parser


def make_config(args: argparse.Namespace) -> TextLenConfig:
    """Return the configuration the arguments ask for."""
    names = [field.name for field in dataclasses.fields(TextLenConfig) if field.name != "spurious"]
    knobs = {name: getattr(args, name) for name in names}
    for name in ("length_means", "prefixes"):
        knobs[name] = tuple(knobs[name])
    return TextLenConfig(**knobs, spurious=not args.no_spurious)


def load_sentences(source: str, config: TextLenConfig, seed: int) -> tuple[list, list]:
    """Return the sentences for train and dev, and those for test."""
    if source == "hub":
        corpus = hub_conll()
    elif source == "embedded":
        first = config.train_size + config.dev_size
        sentences = newswire_sentences(first + config.test_size, seed, config.min_tokens)
        return sentences[:first], sentences[first:]
    else:
        corpus = {split: read_conll(path) for split, path in find_conll(source).items()}
    return corpus["train"], corpus["valid"]


def write_splits(splits: dict[str, list[Example]], folder: Path, overwrite: bool) -> None:
    """Write one file a split; without `overwrite`, nothing at all if one is there."""
    files = {split: folder / f"{split}.jsonl" for split in splits}
    there = [str(file) for file in files.values() if file.exists()]
    if there and not overwrite:
        raise UserError(f"{there[0]} exists; name another --out, or add --overwrite")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror
        raise UserError(f"{folder}: cannot be made ({reason}); name another --out") from None
    for split, file in files.items():
        write_jsonl(splits[split], file)


def group_table(splits: dict[str, list[Example]]) -> str:
    """Return a table of how many examples each label and confound share."""
    groups = [(0, 0), (0, 1), (1, 0), (1, 1)]
    lines = ["split  examples" + "".join(f"  y={label} c={confound}" for label, confound in groups)]
    for split, examples in splits.items():
        counts = Counter((example.label, example.confound) for example in examples)
        row = "".join(f"{counts[group]:9d}" for group in groups)
        lines.append(f"{split:5}  {len(examples):8d}{row}")
    return "\n".join(lines)


def build(argv: list[str]) -> None:
    """Build, write and sum up."""
    args = make_parser().parse_args(argv)
    config = make_config(args)
    splits = build_textlen(*load_sentences(args.conll, config, args.seed), config)
    write_splits(splits, args.out, args.overwrite)
    print(group_table(splits))


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    return run_main(build, argv)


if __name__ == "__main__":
    sys.exit(main())
