"""Gathers finished runs into one small JSON file and prints their table.

``python experiments/collect.py runs/NAME --out experiments/results/NAME.json``
"""

import json
import sys
from pathlib import Path

from itune.analysis.tables import results_table
from itune.cli import Parser, run_main
from itune.errors import UserError
from itune.training.records import write_json
from itune.training.run import Finished, read_run


def main(argv: list[str]) -> None:
    """Reads every finished run below a folder."""
    parser = Parser(prog="collect.py", description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path, help="holds run folders")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    options = parser.parse_args(argv)
    found = sorted(path.parent for path in options.folder.glob("*/result.json"))
    if not found:
        raise UserError(f"{options.folder} holds no finished run; give the folder of a name")
    runs = [read_run(folder) for folder in found]
    write_json(options.out, [_row(run) for run in runs])
    print(results_table([run.result for run in runs]))


def _row(run: Finished) -> dict:
    """What decided the run, what came out; CID, dev accuracy and influence losses on the way."""
    description = json.loads((run.folder / "config.json").read_text())
    data = description["config"]["data"]
    data["source"] = Path(data["source"]).name
    way = [row for row in run.metrics if row["kind"] in ("cid", "accuracy", "influence_update")]
    return {**description, "result": run.result, "measured": way}


if __name__ == "__main__":
    sys.exit(run_main(main))
