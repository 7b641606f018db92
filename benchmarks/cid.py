"""The cost of CID: all training examples against all, beside an epoch of ordinary gradients."""

import sys

import numpy as np

from harness import (
    make_epoch,
    make_parser,
    make_problem,
    print_table,
    second_time,
    textlen,
    write_records,
)
from itune.cli import run_main
from itune.metrics import make_cid

CHUNK = 16


def main(argv: list[str]) -> None:
    """Measure, print a table, and write the records."""
    parser = make_parser("cid.py", __doc__)
    parser.add_argument("--size", type=int, default=480, help="training examples (480)")
    options = parser.parse_args(argv)
    problem = make_problem("minilm", textlen(options.size))
    everyone = np.arange(len(problem.data))
    records = []
    epoch_seconds, _ = second_time(make_epoch(problem, CHUNK))
    for probes in (40, len(everyone)):
        cid = make_cid(problem.classifier.loss, problem.data, probes=everyone[:probes], chunk=CHUNK)
        seconds, result = second_time(lambda cid=cid: cid(problem.params))
        records.append(
            {
                "model": "minilm",
                "examples": len(everyone),
                "probes": probes,
                "time_ratio": seconds / epoch_seconds,
                "seconds": seconds,
                "ordinary_seconds": epoch_seconds,
                **result.summary(),
            }
        )
    columns = ("examples", "probes", "time_ratio", "seconds", "ordinary_seconds", "cid")
    write_records(records, options.json)
    print_table(records, columns)


if __name__ == "__main__":
    sys.exit(run_main(main))
