"""Table 1 of the paper: sizes, training groups and spurious success of TextLen and MSGS.

``python experiments/table1.py`` makes both tasks of embedded sentences; ``--textlen FOLDER`` and
``--msgs FOLDER`` read the released ones instead.
"""

import sys
from pathlib import Path

from itune.cli import Parser, run_main
from itune.corpora.statistics import Statistics, statistics
from itune.corpora.tasks import DataConfig, load_splits
from itune.groups import Group
from itune.tables.splits import SPLITS
from itune.utils import to_markdown, write_table

CAPTION = "Sizes and spurious success of the tasks, beside those of Han & Tsvetkov (2021)."
TITLES = {"textlen": "TextLen", "msgs": "MSGS"}
GROUPS = (Group(0, 0), Group(1, 1), Group(1, 0), Group(0, 1))
PAPER = {
    "textlen": Statistics(
        1500, 480, 500, dict(zip(GROUPS, (675, 675, 75, 75), strict=True)), 0.900, 0.500
    ),
    "msgs": Statistics(
        5000, 15000, 15000, dict(zip(GROUPS, (2517, 2468, 9, 6), strict=True)), 0.997, 0.667
    ),
}


def main(argv: list[str]) -> None:
    """Prints the table, and writes it if asked."""
    parser = Parser(prog="table1.py", description=__doc__.split("\n\n")[0])
    for task, title in TITLES.items():
        parser.add_argument(f"--{task}", default="embedded", metavar="FOLDER", help=f"of {title}")
    parser.add_argument("--out", type=Path, help="folder for table1.md, table1.csv and table1.tex")
    options = parser.parse_args(argv)
    columns = {}
    for task, title in TITLES.items():
        splits = load_splits(DataConfig(task=task, source=getattr(options, task)))
        columns |= {title: statistics(splits), f"{title}, paper": PAPER[task]}
    header, rows = _table(columns)
    print(to_markdown(header, rows))
    if options.out is not None:
        for path in write_table(options.out, "table1", header, rows, caption=CAPTION):
            print(path)


def _table(columns: dict[str, Statistics]) -> tuple[list[str], list[list[str]]]:
    told = list(columns.values())
    groups = sorted({group for column in told for group in column.train_groups})
    lines = {
        **{f"size of {s}": [str(getattr(c, f"{s}_size")) for c in told] for s in SPLITS},
        **{
            f"train, {group}": [str(c.train_groups.get(group, 0)) for c in told] for group in groups
        },
        "spurious success, train (%)": [f"{100 * c.train_success:.1f}" for c in told],
        "spurious success, test (%)": [f"{100 * c.test_success:.1f}" for c in told],
    }
    return ["", *columns], [[name, *values] for name, values in lines.items()]


if __name__ == "__main__":
    sys.exit(run_main(main))
