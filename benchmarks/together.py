"""How long runs of several seeds take together in one program, and one after another.

Measured are label steps, by finetuning, and label steps with rounds on pools, by influence tuning:
the seconds that four epochs have more than two, after a training that compiles. The other
evaluations, and the saving of models, do not count. Training losses of both ways are compared.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import itune
from harness import MINILM, Record, make_parser, print_table, short_training, write_records
from itune.cli import run_main
from itune.config import from_dict
from itune.corpora import DataConfig
from itune.models import write_random_encoder
from itune.tables import task_tables
from itune.training import Finished, run_task_seeds

ROWS = 512
FEW, MANY = 2, 4
METHODS = ("finetuning", "influence_tuning")
WIDTHS = {"tiny": 64, "small": 256}
"""Widths of encoders with random weights, of one layer and of four."""


def main(argv: list[str]) -> None:
    """Measure each encoder with each number of runs, print a table, and write the records."""
    parser = make_parser("together.py", __doc__)
    known = ", ".join([*WIDTHS, "minilm"])
    parser.add_argument("--models", nargs="+", default=["tiny", "small"], help=known)
    parser.add_argument("--runs", nargs="+", type=int, default=[4], help="runs at once (4)")
    options = parser.parse_args(argv)
    records: list[Record] = []
    with tempfile.TemporaryDirectory() as out:
        for model in options.models:
            encoder = encoder_of(model, Path(out))
            for method in METHODS:
                records += measure(model, encoder, method, options.runs, Path(out))
    write_records(records, options.json)
    print_table(records, ("model", "method", "together", "seconds", "apart"))


def encoder_of(model: str, out: Path) -> str:
    """Return MiniLM, or the folder of an encoder with random weights, which is made."""
    if model == "minilm":
        return MINILM
    data = from_dict(DataConfig, {"textlen": {"train_size": ROWS}})
    train = task_tables(data).train
    texts = (text for row in range(train.size) for text in train.texts(row))
    width, layers = WIDTHS[model], {"tiny": 1, "small": 4}[model]
    folder = out / model
    return str(write_random_encoder(folder, texts, width=width, layers=layers, heads=width // 32))


def measure(model: str, encoder: str, method: str, runs: Sequence[int], out: Path) -> list[Record]:
    """Measure some runs one after another, and so many at once; seconds are those of one run."""
    records: list[Record] = []
    expected: list[Finished] = []
    for together in (1, *runs):
        itune.use_devices(1, together=together)
        seeds = range(max(runs))
        train(encoder, method, FEW, seeds[:together], out)  # which compiles
        few = train(encoder, method, FEW, seeds, out)
        many = train(encoder, method, MANY, seeds, out)
        expected = expected or many
        taken = seconds_of(many) - seconds_of(few)
        records.append(
            {
                "model": model,
                "method": method,
                "together": together,
                "seconds": taken / len(seeds),
                "apart": max(map(loss_difference, many, expected)),
            }
        )
    return records


def train(
    encoder: str, method: str, epochs: int, seeds: Sequence[int], out: Path
) -> list[Finished]:
    """Train with some seeds, at so many at once as was chosen."""
    config = short_training(encoder, ROWS, epochs)
    folder = Path(tempfile.mkdtemp(dir=out))
    folders = {seed: folder / str(seed) for seed in seeds}
    return list(run_task_seeds(config, method, folders).values())


def seconds_of(runs: Sequence[Finished]) -> float:
    """Return the seconds that all runs took."""
    return sum(run.result["seconds"] for run in runs)


def loss_difference(one: Finished, other: Finished) -> float:
    """Return the largest difference of two runs' training losses."""
    losses = np.array(
        [
            [row["loss"] for row in run.metrics if row["kind"] == "label_update"]
            for run in (one, other)
        ]
    )
    return float(np.max(np.abs(losses[0] - losses[1])))


if __name__ == "__main__":
    sys.exit(run_main(main))
