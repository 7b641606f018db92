"""All figures that want an accelerator, within a stated time.

Each part is a process of its own, which logs to a file of its name: routes of the influence loss,
CID, rounds and precision of MiniLM and of BERT-base's shape, runs of MiniLM together, a run of the
paper's setting by that shape, and Table 2 in one process. What the time does not allow is cut off
and said to be. ``--small`` is the same at a size for a processor, to see that all parts work.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from harness import Record, make_parser, print_table, write_records
from itune.cli import run_main
from itune.corpora import DataConfig
from itune.models import write_random_encoder
from itune.tables import task_tables

BENCHMARKS = Path(__file__).resolve().parent
EXPERIMENTS = BENCHMARKS.parent / "experiments"


SHORT = {
    "label.epochs": 1,
    "label.batch": 16,
    "data.textlen.train_size": 64,
    "cid_probes": 4,
    "influence.interval": 2,
    "influence.epochs": 1,
    "influence.probes": 4,
}
"""Settings of a run that is over soon."""


class Part(NamedTuple):
    """A script with its arguments, and the name of what it writes.

    ``has_records`` says whether it writes records as JSON.
    """

    name: str
    script: Path
    arguments: Sequence[str]
    has_records: bool = True


def main(argv: list[str]) -> None:
    """Run part after part until the time is over, and print how each of them ended."""
    parser = make_parser("accelerator.py", __doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of all that is written")
    parser.add_argument("--minutes", type=float, default=15.0, help="end within so many (15)")
    parser.add_argument("--small", action="store_true", help="a size that a processor can do")
    options = parser.parse_args(argv)
    end = time.monotonic() + 60 * options.minutes
    options.out.mkdir(parents=True, exist_ok=True)
    records: list[Record] = []
    for part in parts(options.out, options.small):
        record = run(part, options.out, end - time.monotonic())
        print(f"{part.name}: {record['ended']} after {record['seconds']:.0f} s", flush=True)
        records.append(record)
    write_records(records, options.json or options.out / "parts.json")
    print_table(records, ("part", "ended", "seconds"))
    if any(record["ended"] == "failed" for record in records):
        sys.exit(1)


def parts(out: Path, is_small: bool) -> Iterator[Part]:
    """Yield all parts, what is short and tells most first."""
    models = ("electra-small",) if is_small else ("minilm", "bert-base")
    for model in models:
        few = ("--layers", "1", "--repeats", "1") if is_small else ()
        yield Part(
            f"derivative-{model}",
            BENCHMARKS / "derivative.py",
            ("--models", model, "--quick", "--routes", "ghost", *few),
        )
        steps = ("--updates", "1", "--label_steps", "1") if is_small else ()
        yield Part(
            f"round-{model}",
            BENCHMARKS / "round.py",
            ("--model", model, "--partners", "pooled", *steps),
        )
    yield Part("cid", BENCHMARKS / "cid.py", ("--size", "16") if is_small else ())
    yield Part(
        "precision",
        BENCHMARKS / "precision.py",
        ("--steps", "1", "--examples", "8") if is_small else (),
    )
    yield Part(
        "together",
        BENCHMARKS / "together.py",
        ("--models", "tiny", "--runs", "2") if is_small else ("--models", "minilm", "--runs", "8"),
    )
    yield Part("run", EXPERIMENTS / "run.py", run_arguments(out, is_small), False)
    yield Part(
        "table2",
        EXPERIMENTS / "table2.py",
        (
            *("--tasks", "textlen", "--methods", "finetuning,influence_tuning", "--seeds", "2021"),
            *("--out", str(out / "table2"), "--set", "data.source=embedded"),
            *(f"{name}={value}" for name, value in (SHORT if is_small else {}).items()),
        ),
        False,
    )


def run_arguments(out: Path, is_small: bool) -> Sequence[str]:
    """Write an encoder of BERT-base's shape, whose weights are random, and return a run's options.

    The run is of the paper's setting. Its accuracy means nothing; its wall clock does.
    """
    encoder = out / "encoder"
    if not encoder.exists():
        train = task_tables(DataConfig()).train
        texts = (text for row in range(train.size) for text in train.texts(row))
        shape = (
            {"width": 16, "layers": 1} if is_small else {"width": 768, "layers": 12, "heads": 12}
        )
        write_random_encoder(encoder, texts, max_positions=512, **shape)
    return (
        *("--preset", "textlen", "--encoder", str(encoder), "--data.source", "embedded"),
        *("--methods", "influence_tuning", "--seeds", "2021", "--out", str(out / "run")),
        *(f"--{name}={value}" for name, value in (SHORT if is_small else {}).items()),
    )


def run(part: Part, out: Path, seconds: float) -> Record:
    """Run a part for as many seconds as are left, and return how it ended."""
    started = time.monotonic()
    ended = "no time"
    if seconds > 0:
        records = ("--json", str(out / f"{part.name}.json")) if part.has_records else ()
        command = [sys.executable, "-u", str(part.script), *part.arguments, *records]
        path = os.pathsep.join(map(str, (BENCHMARKS.parent, EXPERIMENTS, BENCHMARKS)))
        with (out / f"{part.name}.log").open("w") as log:
            try:
                done = subprocess.run(
                    command,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    timeout=seconds,
                    check=False,
                    env=os.environ | {"PYTHONPATH": path},
                )
                ended = "failed" if done.returncode else "done"
            except subprocess.TimeoutExpired:
                ended = "cut off"
    return {"part": part.name, "ended": ended, "seconds": time.monotonic() - started}


if __name__ == "__main__":
    sys.exit(run_main(main))
