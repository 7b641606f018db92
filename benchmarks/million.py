"""The cost of a table of a million rows: seconds and peak memory of three commands on it.

The rows are product reviews, each made different by a number, which is a further column, too; the
model is MiniLM with a head that has learnt nothing, which costs what any other does. ``itune
discover`` draws :data:`DRAWN` of the rows.
"""

import csv
import os
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

import jax

from harness import MINILM, make_parser, print_table, write_records
from itune import UserError
from itune.cli import run_main
from itune.corpora import RATINGS, Review, ReviewsConfig, generate_reviews
from itune.models import load_encoder, resolve_encoder, save_classifier

COLUMNS = ("--text", "review", "--label", "rating")
CONFOUND = ("--confound", "brand")
DIFFERENT = 12_000
DRAWN = 4_000


def main(argv: list[str]) -> None:
    """Write table and model, run the commands, print a table, and write the records."""
    parser = make_parser("million.py", __doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the table (1000000)")
    parser.add_argument("--commands", default="describe,audit,discover", help="those to run")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        table, model = folder / "reviews.csv", folder / "model"
        _write_table(table, options.rows)
        _write_model(model)
        commands = {
            "describe": [str(table), *COLUMNS, *CONFOUND],
            "audit": [str(model), str(table), *COLUMNS, *CONFOUND, "--out", f"{folder}/audited"],
            "discover": [str(model), str(table), *COLUMNS, "--rows", str(DRAWN)],
        }
        commands["discover"] += ["--out", f"{folder}/found"]
        records = [
            {"command": command, "rows": options.rows, "bytes_of_table": table.stat().st_size}
            | _run(command, words)
            for command, words in commands.items()
            if command in options.commands.split(",")
        ]
    write_records(records, options.json)
    print_table(records, ("command", "rows", "seconds", "peak_mib"))


def _write_table(path: Path, rows: int) -> None:
    reviews = generate_reviews(ReviewsConfig(rows=min(rows, DIFFERENT)))["train"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*Review._fields, "number"))
        for number, (text, rating, brand) in enumerate(islice(cycle(reviews), rows), 1):
            writer.writerow((f"{text} ({number})", rating, brand, f"n{number}"))


def _write_model(folder: Path) -> None:
    source = resolve_encoder(MINILM)
    config, params = load_encoder(source, len(RATINGS), jax.random.key(0))
    save_classifier(folder, config, params, source, labels=list(RATINGS))


def _run(command: str, words: list[str]) -> dict[str, float]:
    """Run one process; return its seconds and its peak of resident memory."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "itune", command, *words])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise UserError(f"itune {command} ended with status {os.waitstatus_to_exitcode(status)}")
    seconds = time.perf_counter() - started
    return {"seconds": round(seconds, 1), "peak_mib": round(usage.ru_maxrss / 1024)}


if __name__ == "__main__":
    sys.exit(run_main(main))
