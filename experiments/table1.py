"""Table 1 of the paper: sizes, training groups and spurious success of TextLen and MSGS.

``python experiments/table1.py`` makes both tasks of embedded sentences; ``--textlen FOLDER`` and
``--msgs FOLDER`` read the released ones instead.
"""

import sys
from math import nan
from pathlib import Path
from typing import NamedTuple

from itune.cli import Parser, run_main
from itune.corpora import DataConfig
from itune.groups import Group
from itune.tables import SPLITS, describe_tables, task_tables
from itune.utils import to_markdown, write_table

CAPTION = "Sizes and spurious success of the tasks, beside those of Han & Tsvetkov (2021)."
TITLES = {"textlen": "TextLen", "msgs": "MSGS"}
GROUPS = (Group(0, 0), Group(1, 1), Group(1, 0), Group(0, 1))


class Statistics(NamedTuple):
    """What Table 1 tells of a task: sizes of train, dev and test, and of groups of train.

    Successes are those of predicting the label of train and of test from the confound alone.
    """

    sizes: tuple[int, int, int]
    groups: dict[Group, int]
    successes: tuple[float, float]


PAPER = {
    "textlen": Statistics(
        (1500, 480, 500), dict(zip(GROUPS, (675, 675, 75, 75), strict=True)), (0.900, 0.500)
    ),
    "msgs": Statistics(
        (5000, 15000, 15000), dict(zip(GROUPS, (2517, 2468, 9, 6), strict=True)), (0.997, 0.667)
    ),
}


def main(argv: list[str]) -> None:
    """Print the table, and write it to files if ``--out`` is given."""
    parser = Parser(prog="table1.py", description=__doc__.split("\n\n")[0])
    for task, title in TITLES.items():
        parser.add_argument(f"--{task}", default="embedded", metavar="FOLDER", help=f"of {title}")
    parser.add_argument("--out", type=Path, help="folder for table1.md, table1.csv and table1.tex")
    options = parser.parse_args(argv)
    columns = {}
    for task, title in TITLES.items():
        ours = statistics(DataConfig(task=task, source=getattr(options, task)))
        columns |= {title: ours, f"{title}, paper": PAPER[task]}
    header, rows = _table(columns)
    print(to_markdown(header, rows))
    if options.out is not None:
        for path in write_table(options.out, "table1", header, rows, caption=CAPTION):
            print(path)


def statistics(data: DataConfig) -> Statistics:
    """Count the examples and groups of a task, and compute its spurious success."""
    splits = describe_tables(task_tables(data)).splits
    train, dev, test = (splits[name] for name in SPLITS)
    sizes = (train.size, dev.size, test.size)
    train_success, test_success = (
        nan if split.success is None else split.success for split in (train, test)
    )
    return Statistics(sizes, train.groups, (train_success, test_success))


def _table(columns: dict[str, Statistics]) -> tuple[list[str], list[list[str]]]:
    tasks = list(columns.values())
    groups = sorted({group for task in tasks for group in task.groups})
    lines = {
        **{f"size of {s}": [str(t.sizes[i]) for t in tasks] for i, s in enumerate(SPLITS)},
        **{f"train, {group}": [str(t.groups.get(group, 0)) for t in tasks] for group in groups},
        "spurious success, train (%)": [f"{100 * t.successes[0]:.1f}" for t in tasks],
        "spurious success, test (%)": [f"{100 * t.successes[1]:.1f}" for t in tasks],
    }
    return ["", *columns], [[name, *values] for name, values in lines.items()]


if __name__ == "__main__":
    sys.exit(run_main(main))
