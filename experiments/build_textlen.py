"""Write the TextLen sets as train.jsonl, dev.jsonl and test.jsonl.

    python experiments/build_textlen.py --conll FOLDER --out data/textlen
    python experiments/build_textlen.py --conll hub --out data/textlen_no_spur --no-spurious
    python experiments/build_textlen.py --conll embedded --out data/textlen_newswire

The sentences come from a folder of CoNLL files, from the Hugging Face hub, or from the embedded
newswire generator, which needs neither files nor a network.
"""

import argparse
import dataclasses
import difflib
import sys
from collections import Counter
from pathlib import Path

from itune.data import (
    Example,
    TextLenConfig,
    build_textlen,
    find_conll,
    hub_conll,
    newswire_sentences,
    read_conll,
    write_jsonl,
)
from itune.errors import UserError

KNOB_HELP = {
    "min_tokens": "shorter sentences are left out, longer ones cut",
    "length_means": "mean lengths of class 0 and class 1",
    "length_sd": "standard deviation of the lengths",
    "prefixes": "prefixes of confound 0 and confound 1",
}


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors take one line, and which knows what a misspelt option meant."""

    def __init__(self, **kwargs):
        self.known: list[str] = []  # before argparse adds --help
        super().__init__(allow_abbrev=False, **kwargs)

    def add_argument(self, *args, **kwargs):
        """Add an argument as usual, and remember its spellings."""
        action = super().add_argument(*args, **kwargs)
        self.known.extend(action.option_strings)
        return action

    def parse_args(self, args=None, namespace=None):
        """Parse as usual, after a look at the options nobody declared."""
        args = sys.argv[1:] if args is None else list(args)
        for option in (arg.split("=")[0] for arg in args if arg.startswith("--")):
            if option not in self.known:
                near = difflib.get_close_matches(option, self.known, n=1)
                hint = f"did you mean {near[0]}?" if near else "--help lists the options"
                self.error(f"{option} is not an option; {hint}")
        return super().parse_args(args, namespace)

    def error(self, message):
        """Print one line and leave with status 2."""
        self.exit(2, f"error: {message}\n")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser: the three paths and switches, and an option for every TextLen knob."""
    parser = OneLineParser(
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
            help=KNOB_HELP.get(field.name, "see TextLenConfig"),
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


def cell_table(splits: dict[str, list[Example]]) -> str:
    """Return a table of how many examples each label and confound share."""
    cells = [(0, 0), (0, 1), (1, 0), (1, 1)]
    lines = ["split  examples" + "".join(f"  y={label} c={confound}" for label, confound in cells)]
    for split, examples in splits.items():
        counts = Counter((example.label, example.confound) for example in examples)
        row = "".join(f"{counts[cell]:9d}" for cell in cells)
        lines.append(f"{split:5}  {len(examples):8d}{row}")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Build, write and sum up; the exit status."""
    args = make_parser().parse_args(argv)
    try:
        config = make_config(args)
        splits = build_textlen(*load_sentences(args.conll, config, args.seed), config)
        write_splits(splits, args.out, args.overwrite)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(cell_table(splits))
    return 0


if __name__ == "__main__":
    sys.exit(main())
