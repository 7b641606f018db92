"""What the commands for the paper's tables and figures share: which runs they need, and where.

A run lies in ``OUT/PRESET/METHOD-SEED``, and below full access to confounds in
``OUT/PRESET-access-PERCENT/METHOD-SEED``. Processes with the same OUT share the runs: each takes
what no other is at, and waits for the rest.
"""

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from itune import UserError
from itune.cli import Parser
from itune.config import narrowed, parse, to_dict
from itune.methods import METHODS
from itune.results import RunResult, read_result, read_results, require_one_configuration
from itune.training import (
    RunConfig,
    RunInUse,
    RunOptions,
    is_at_work,
    run_task_seeds,
    runs_at_once,
)
from itune.utils import Row, RunsHardwareConfig, to_text, write_table
from run import PRESETS, Experiment


class _Run(Protocol):
    """What is run, with a field ``seed``."""

    def _replace(self, *, seed: int) -> Any: ...


Key = TypeVar("Key", bound=_Run)

TASKS = ("textlen", "msgs")
SEEDS = (2021, 2022, 2023, 2024, 2025)
PRESET_NAMES = {"minilm": "{}-minilm", "base": "{}"}

OWN = {"data.task": "--tasks", "access.rate": "--rates of table3.py"}
"""Settings that a table gives its runs, and by which options it is told."""

WAIT = 5.0
"""Seconds after which is looked again at what other processes are at."""


class Wanted(NamedTuple):
    """One run that a table needs; ``percent`` of confounds can be read."""

    task: str
    method: str
    seed: int
    percent: int = 100


class Suite(NamedTuple):
    """The runs of a table that there are, in order, and how many it needs."""

    runs: dict[Wanted, RunResult]
    wanted: int

    def groups(self, *names: str) -> dict[tuple, list[RunResult]]:
        """Runs by some fields of :class:`Wanted`."""
        found: dict[tuple, list[RunResult]] = {}
        for key, result in self.runs.items():
            found.setdefault(tuple(getattr(key, name) for name in names), []).append(result)
        return found

    def note(self) -> str:
        """A sentence that tells whether any are missing."""
        missing = self.wanted - len(self.runs)
        return f"{missing} of {self.wanted} runs are missing." if missing else ""


# Options


def make_parser(
    prog: str,
    description: str,
    *,
    methods: Sequence[str],
    tasks: Sequence[str] = TASKS,
    percents: Sequence[int] = (100,),
) -> argparse.ArgumentParser:
    """Returns the parser that every table has, with its defaults."""
    parser = Parser(prog=prog, description=description)
    add = parser.add_argument

    def add_list(
        name: str, default: Sequence[Any], kind: Callable[[str], tuple], told: str
    ) -> None:
        text = f"{told} (default: {','.join(map(str, default))})"
        add(f"--{name}", type=kind, default=tuple(default), metavar="A,B", help=text)

    names = dict.fromkeys([*METHODS, *methods])
    for option, known, default in (("tasks", TASKS, tasks), ("methods", names, methods)):
        kind = list_of(str, f"{option} out of {', '.join(known)}", known.__contains__)
        add_list(option, default, kind, f"out of {', '.join(known)}")
    kind = list_of(int, "integers from 0 to 2**32 - 1", range(2**32).__contains__)
    add_list("seeds", SEEDS, kind, "each method is run with each")
    parser.set_defaults(rates=tuple(percents))
    if len(percents) > 1:
        kind = list_of(int, "percentages from 1 to 100", range(1, 101).__contains__)
        add_list("rates", percents, kind, "percentages of confounds that can be read")
    add("--encoder", choices=PRESET_NAMES, default="minilm", help="decides the presets (minilm)")
    for task in TASKS:
        add(f"--{task}", metavar="FOLDER", help=f"data.source of {task}, not the preset's")
        add(f"--{task}-control", metavar="FOLDER", help=f"data.control of {task}")
    told = "settings of every run, as run.py takes them"
    add(
        "--set",
        type=_setting_word,
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help=told,
    )
    add("--out", type=Path, default=Path("runs"), help="where runs are kept (runs)")
    add("--to", type=Path, metavar="FOLDER", help="where to write (OUT/tables)")
    add("--render", action="store_true", help="run nothing; take the runs that have finished")
    told = "take the runs in folders, or in collected JSON"
    add("--results", type=Path, nargs="+", metavar="PLACE", help=told)
    add_hardware(parser)
    return parser


def add_hardware(parser: argparse.ArgumentParser) -> None:
    """Adds the options of what runs are made on, for :func:`use_hardware`."""
    add = parser.add_argument
    add("--devices", type=int, metavar="N", help="number of devices to use (all)")
    told = (
        "runs of one method that advance together in one program, on one device (1 on a CPU, as "
        "many as fit into the memory of an accelerator)"
    )
    add("--together", type=int, metavar="N", help=told)


def use_hardware(options: argparse.Namespace) -> None:
    """Chooses what runs are made on; raises a UserError if it is not there."""
    RunsHardwareConfig(devices=options.devices, together=options.together).choose_devices()


def list_of(
    read: Callable[[str], Any], what: str, is_fit: Callable[[Any], bool]
) -> Callable[[str], tuple]:
    """Returns what reads ``a,b`` from a command line: different values that all fit."""

    def parse_list(text: str) -> tuple:
        try:
            values = tuple(read(word) for word in text.split(","))
        except ValueError:
            values = ()
        if not values or len(set(values)) < len(values) or not all(map(is_fit, values)):
            raise argparse.ArgumentTypeError(f"{text!r} is no list of different {what}")
        return values

    return parse_list


def _setting_word(word: str) -> str:
    """Checks a word ``KEY=VALUE`` of a command line."""
    key = word.partition("=")[0]
    if "=" not in word or key.split(".")[0] not in RunConfig.__dataclass_fields__:
        raise argparse.ArgumentTypeError(f"{word!r} is no KEY=VALUE of a setting of run.py")
    if key in OWN:
        raise argparse.ArgumentTypeError(f"{key} is set by {OWN[key]}")
    return word


# From options to runs


def gather(options: argparse.Namespace) -> Suite:
    """Runs what is missing, or takes what is there.

    Raises:
      UserError: The input is bad, nothing is there, or it is of different configurations.
    """
    wanted = _wanted(options)
    use_hardware(options)
    if options.results or options.render:
        runs = _collected(options, wanted) if options.results else _finished(options, wanted)
        _require_whole(runs, options)
    else:
        runs = _run_all(options, wanted)
    return Suite({key: runs[key] for key in wanted if key in runs}, len(wanted))


def _wanted(options: argparse.Namespace) -> list[Wanted]:
    """All runs, seed by seed, so that every method has some as soon as may be."""
    return [
        Wanted(task, method, seed, percent)
        for seed in options.seeds
        for task in options.tasks
        for percent in options.rates
        for method in options.methods
    ]


def _setting_name(options: argparse.Namespace, key: Wanted) -> str:
    preset = PRESET_NAMES[options.encoder].format(key.task)
    return preset if key.percent == 100 else f"{preset}-access-{key.percent}"


def _folder(options: argparse.Namespace, key: Wanted) -> Path:
    return options.out / _setting_name(options, key) / f"{key.method}-{key.seed}"


def _finished(options: argparse.Namespace, wanted: list[Wanted]) -> dict[Wanted, RunResult]:
    folders = {key: _folder(options, key) for key in wanted}
    return {key: read_result(folder) for key, folder in folders.items() if _has_finished(folder)}


def _collected(options: argparse.Namespace, wanted: list[Wanted]) -> dict[Wanted, RunResult]:
    found = {(run.setting, run.method, run.seed): run for run in read_results(options.results)}
    places = {key: (_setting_name(options, key), key.method, key.seed) for key in wanted}
    return {key: found[place] for key, place in places.items() if place in found}


def _run_all(options: argparse.Namespace, wanted: list[Wanted]) -> dict[Wanted, RunResult]:
    settings = {key: _setting(options, key) for key in wanted}
    known = _finished(options, wanted)
    for task, setting in {key.task: settings[key] for key in wanted}.items():
        _require_one(known, task, to_dict(setting))

    def run(folders: Mapping[Wanted, Path]) -> None:
        (first, *_), by_seed = folders, {key.seed: folder for key, folder in folders.items()}
        run_task_seeds(settings[first], first.method, by_seed, RunOptions(resume=True))

    share_runs({key: _folder(options, key) for key in wanted}, run)
    return _finished(options, wanted)


def share_runs(folders: Mapping[Key, Path], run: Callable[[Mapping[Key, Path]], object]) -> None:
    """Call ``run`` for all runs that no other process is at, and wait for the rest.

    It gets a run, or several with other seeds where runs advance together.
    """
    left, is_told = dict(enumerate(folders.items(), 1)), False
    while left:
        for number in list(left):
            if number not in left or is_at_work(left[number][1]):
                continue
            group = _together(number, left)
            for n in group:
                if not _has_finished(left[n][1]):
                    _tell(f"run {n} of {len(folders)}: {left[n][1]}")
            with contextlib.suppress(RunInUse):  # since a moment ago
                run(dict(left[n] for n in group))
                for n in group:
                    del left[n]
        if left:
            if not is_told:
                _tell(f"waiting for runs of other processes: {', '.join(map(str, left))}")
                is_told = True
            time.sleep(WAIT)


def _together(number: int, runs: Mapping[int, tuple[Key, Path]]) -> list[int]:
    """Return the numbers of a run and of others to be made with its setting and another seed.

    No process is at the others. A run that has finished is by itself, since it is only read.
    """
    key, folder = runs[number]
    if _has_finished(folder):
        return [number]
    alike = (
        n
        for n, (other, at) in runs.items()
        if n != number
        and other._replace(seed=0) == key._replace(seed=0)
        and not _has_finished(at)
        and not is_at_work(at)
    )
    return [number, *islice(alike, runs_at_once() - 1)]


def _has_finished(folder: Path) -> bool:
    return (folder / "result.json").exists()


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _setting(options: argparse.Namespace, key: Wanted) -> RunConfig:
    """The preset's configuration with the data and the access rate asked for."""
    given = {
        "preset": PRESET_NAMES[options.encoder].format(key.task),
        "data.source": getattr(options, key.task),
        "data.control": getattr(options, f"{key.task}_control"),
        "access.rate": None if key.percent == 100 else key.percent / 100,
    }
    words = [f"--{word}" for word in options.set]
    words += [f"--{name}={value}" for name, value in given.items() if value is not None]
    return narrowed(parse(Experiment, PRESETS, words, prog="run.py", description=""), RunConfig)


# What may stand in one table


def _require_whole(runs: dict[Wanted, RunResult], options: argparse.Namespace) -> None:
    if not runs:
        places = ", ".join(map(str, options.results or [options.out]))
        names = ", ".join(PRESET_NAMES[options.encoder].format(task) for task in options.tasks)
        raise UserError(f"{places}: no finished run of {names} that was asked for is there")
    for task in options.tasks:
        _require_one(runs, task)


def _require_one(runs: dict[Wanted, RunResult], task: str, wanted: dict | None = None) -> None:
    """Checks that the runs of a task are what their folders say, and of one configuration."""
    of_task = {key: run for key, run in runs.items() if key.task == task}
    for key, result in of_task.items():
        found = result.data, result.method, result.seed, round(100 * result.access)
        if found != key:
            raise UserError(
                f"{result.where} is {result.method} of {result.data} with seed {result.seed} and "
                f"access rate {result.access}, as its place does not say; move it where it belongs"
            )
    require_one_configuration(list(of_task.values()), wanted)


# What comes out


def place(options: argparse.Namespace) -> Path:
    """The folder to write to."""
    return options.to or options.out / "tables"


def publish(
    options: argparse.Namespace, name: str, header: Sequence[str], rows: list[Row], caption: str
) -> None:
    """Writes a table in every format, and prints it."""
    paths = write_table(place(options), name, header, rows, caption=caption)
    print(to_text(header, rows))
    print(f"\n{caption}\n")
    announce(paths)


def announce(paths: Iterable[Path | str]) -> None:
    """Prints which files there are."""
    print("\n".join(map(str, paths)))


def encoder_name(suite: Suite) -> str:
    """The encoder of the runs."""
    return next(iter(suite.runs.values())).encoder
