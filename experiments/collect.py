"""Gathers finished runs into one small JSON file and prints their table.

``python experiments/collect.py runs/NAME ... --out experiments/results/NAME.json``; ``runs`` alone
takes every finished run below it, but for those of searches, and a JSON file the runs that were
gathered into it before.
"""

import sys
from pathlib import Path

from itune import UserError
from itune.cli import Parser, run_main
from itune.results import collect, read_results, results_table
from itune.utils import write_json


def main(argv: list[str]) -> None:
    """Reads every finished run below some folders, or out of some files."""
    parser = Parser(prog="collect.py", description=__doc__.split("\n\n")[0])
    told = "a folder of runs, or collected JSON"
    parser.add_argument("places", type=Path, nargs="+", metavar="PLACE", help=told)
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    options = parser.parse_args(argv)
    rows = collect(options.places)
    try:
        write_json(options.out, rows)
    except OSError as error:
        raise UserError(f"cannot write {options.out}: {error.strerror}; choose another") from None
    print(results_table(read_results([options.out])))


if __name__ == "__main__":
    sys.exit(run_main(main))
