"""Gathers finished runs into one small JSON file and prints their table.

``python experiments/collect.py runs/NAME ... --out experiments/results/NAME.json``; ``runs`` alone
takes every finished run below it.
"""

import sys
from pathlib import Path

from itune.analysis.tables import results_table
from itune.cli import Parser, run_main
from itune.errors import UserError
from itune.results import collected, read_result
from itune.training.records import write_json


def main(argv: list[str]) -> None:
    """Reads every finished run below some folders."""
    parser = Parser(prog="collect.py", description=__doc__.split("\n\n")[0])
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="holds runs")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    options = parser.parse_args(argv)
    runs = [read_result(path) for folder in options.folders for path in _finished(folder)]
    write_json(options.out, [collected(run) for run in runs])
    print(results_table([run.result for run in runs]))


def _finished(folder: Path) -> list[Path]:
    found = sorted(path.parent for path in folder.rglob("result.json"))
    if not found:
        raise UserError(f"{folder} holds no finished run; give the folder of a name, or of names")
    return found


if __name__ == "__main__":
    sys.exit(run_main(main))
