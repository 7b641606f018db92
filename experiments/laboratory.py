"""The laboratory: variants of methods, each on several data with several seeds and rates of access.

``python experiments/laboratory.py PLAN.toml --out FOLDER`` runs what is missing of a plan and
renders one table of it. A plan states everything before the first run::

    seeds = [1, 2, 3, 4, 5]
    access = [100, 5]                       # percentages of confounds that can be read

    [data.textlen]                          # a preset of run.py ...
    preset = "textlen-minilm"

    [data.tweets]                           # ... or a table, with the columns that tune takes
    table = "tweets"
    confound = "dialect"

    [variants.finetuning]                   # the first is the reference of all tests
    method = "finetuning"

    [variants.pooled]                       # a variant is a method and settings
    method = "influence_tuning"
    set = { "influence.partners" = "pooled" }

A run lies in ``FOLDER/DATA-PERCENT/VARIANT/METHOD-SEED``. Processes with the same FOLDER share the
runs: each takes what no other is at. Runs of one process share compiled functions.
"""

import argparse
import contextlib
import math
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from itune import UserError
from itune.cli import Parser, run_main
from itune.config import flattened, from_dict, narrowed, parse, replaced, to_dict
from itune.methods import METHODS
from itune.metrics import paired_test, permutation_test, summarise
from itune.results import RunResult, read_result
from itune.tables import TableConfig, Tables, read_tables, task_tables
from itune.training import RunConfig, RunOptions, TrainingConfig, check_run, run_seeds
from itune.tuning import scaled_settings
from itune.utils import Row, to_text, use_compilation_cache, write_table
from run import PRESETS, Experiment
from suite import add_hardware, list_of, share_runs, use_hardware

HEADER = (
    *("data", "access", "variant", "seeds", "test", "worst group", "balanced", "least worst"),
    *("dev", "CID", "changed by swap", "collapsed", "minutes"),
    *("difference", "p paired", "p permutation"),
)


@dataclass(frozen=True, eq=False)
class Variant:
    """A way of training: a method, and the settings that are not those of the data.

    Attributes:
      name: Name in the table and of the folder.
      method: Key of :data:`~itune.methods.METHODS`.
      settings: Values of settings by dotted name.
    """

    name: str
    method: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Data:
    """Something to train on: a preset's task, or a table.

    Attributes:
      name: Name in the table and of the folder.
      preset: Preset of run.py; None for a table.
      table: Fields of :class:`~itune.tables.TableConfig`; empty for a preset.
      settings: Values of settings by dotted name, for every variant.
    """

    name: str
    preset: str | None
    table: Mapping[str, Any]
    settings: Mapping[str, Any]


class Plan(NamedTuple):
    """All that is to be run."""

    data: tuple[Data, ...]
    variants: tuple[Variant, ...]
    seeds: tuple[int, ...]
    access: tuple[int, ...]


class Wanted(NamedTuple):
    """One run; ``percent`` of confounds can be read."""

    data: Data
    percent: int
    variant: Variant
    seed: int

    def folder(self, out: Path) -> Path:
        """Return the run's folder."""
        setting = f"{self.data.name}-{self.percent}"
        return out / setting / self.variant.name / f"{self.variant.method}-{self.seed}"


# Plans


def read_plan(path: Path, places: Mapping[str, str] | None = None) -> Plan:
    """Read a plan from a TOML file.

    Args:
      path: The file.
      places: Files or folders by name of a data set, where they are not as the plan says; the
        unconfounded control of ``NAME`` is called ``NAME.control``.

    Raises:
      UserError: The file cannot be read, or something in it is unknown or malformed.
    """
    try:
        raw = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: no plan can be read ({error})") from error
    _require_keys(raw, {"data", "variants", "seeds", "access"}, f"{path}")
    data = [_data(path, name, section) for name, section in _sections(raw, "data", path)]
    variants = [_variant(path, name, section) for name, section in _sections(raw, "variants", path)]
    names = {of.name for of in data}
    for name in places or {}:
        if name.removesuffix(".control") not in names:
            raise UserError(f"--place {name}: the plan has no such data; it has {_listed(names)}")
    placed = tuple(_placed(of, places or {}) for of in data)
    seeds = _integers(raw.get("seeds", [1]), range(2**32), f"{path}: seeds", "0 to 2**32 - 1")
    access = _integers(raw.get("access", [100]), range(1, 101), f"{path}: access", "1 to 100")
    return Plan(placed, tuple(variants), seeds, access)


def _sections(raw: Mapping[str, Any], key: str, path: Path) -> list[tuple[str, dict[str, Any]]]:
    sections = raw.get(key)
    if not isinstance(sections, dict) or not sections:
        raise UserError(f"{path}: there is no [{key}.NAME]; add one or more")
    for name, section in sections.items():
        if not isinstance(section, dict):
            raise UserError(f"{path}: [{key}.{name}] must be a section, got {section!r}")
        if "/" in name or name.startswith("."):
            raise UserError(f"{path}: {key} {name!r} cannot be a folder's name; choose another")
    return list(sections.items())


def _data(path: Path, name: str, section: dict[str, Any]) -> Data:
    settings = _settings(path, f"data.{name}", section)
    preset, table = section.pop("preset", None), section
    if not isinstance(preset, str | None):
        raise UserError(f"{path}: preset of [data.{name}] must be a name, got {preset!r}")
    if (preset is None) == ("table" not in table):
        raise UserError(f"{path}: [data.{name}] must have either preset or table")
    if preset is None:
        table = {"train": table.pop("table"), **table}
    else:
        _require_keys(table, set(), f"{path}: [data.{name}]")
    return Data(name, preset, table, settings)


def _variant(path: Path, name: str, section: dict[str, Any]) -> Variant:
    _require_keys(section, {"method", "set"}, f"{path}: [variants.{name}]")
    method = section.get("method")
    if not isinstance(method, str) or method not in METHODS:
        known = ", ".join(METHODS)
        raise UserError(f"{path}: method of [variants.{name}] must be one of {known}")
    settings = _settings(path, f"variants.{name}", section)
    if own := [key for key in settings if key.partition(".")[0] == "data"]:
        raise UserError(
            f"{path}: {own[0]} of [variants.{name}] is a setting of data; move it there"
        )
    return Variant(name, method, settings)


def _settings(path: Path, name: str, section: dict[str, Any]) -> dict[str, Any]:
    settings = section.pop("set", {})
    if not isinstance(settings, dict):
        raise UserError(f"{path}: set of [{name}] must be a table of settings, got {settings!r}")
    settings = flattened(settings)
    if "access.rate" in settings:
        raise UserError(
            f"{path}: access.rate of [{name}] is set by access, in per cent; give it there"
        )
    return settings


def _placed(data: Data, places: Mapping[str, str]) -> Data:
    source, control = places.get(data.name), places.get(f"{data.name}.control")
    if data.preset is None and control:
        raise UserError(f"--place {data.name}.control: {data.name} is a table and has no control")
    if data.preset is None:
        return replace(data, table={**data.table, "train": source}) if source else data
    given = {"data.source": source, "data.control": control}
    settings = {key: value for key, value in given.items() if value is not None}
    return replace(data, settings={**data.settings, **settings})


def _require_keys(section: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in section:
        if name not in known:
            raise UserError(f"{where} has no key {name}; there are {_listed(known)}")


def _integers(values: Any, allowed: range, name: str, expected: str) -> tuple[int, ...]:
    is_list = isinstance(values, list) and values
    if not is_list or not all(type(value) is int and value in allowed for value in values):
        raise UserError(f"{name} must be a list of integers from {expected}, got {values!r}")
    return tuple(values)


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


# Runs


def load(plan: Plan) -> dict[tuple[Data, int, Variant], tuple[Tables, TrainingConfig]]:
    """Return what each variant is trained on, and all settings of it.

    Raises:
      UserError: Data cannot be read, or a setting is unknown or refused.
    """
    tables: dict[tuple[str, bool], Tables] = {}
    found = {}
    for key in wanted_runs(plan):
        if key[:3] in found:
            continue
        data, percent, variant = key[:3]
        is_control = METHODS[variant.method].uses_control
        settings = {**data.settings, **variant.settings}
        if percent < 100:
            settings["access.rate"] = percent / 100
        with _named(f"{variant.name} on {data.name}"):
            task = None if data.preset is None else _preset(data.preset, settings)
            if (data.name, is_control) not in tables:
                tables[data.name, is_control] = (
                    read_tables(from_dict(TableConfig, data.table))
                    if task is None
                    else task_tables(task.data, is_control=is_control)
                )
            table = tables[data.name, is_control]
            config = scaled_settings(table, settings) if task is None else narrowed(task, RunConfig)
        found[data, percent, variant] = table, config
    return found


@contextlib.contextmanager
def _named(what: str) -> Iterator[None]:
    """Let errors raised in its context begin with what they are about."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{what}: {error}") from error


def _preset(name: str, settings: Mapping[str, Any]) -> Experiment:
    words, titles = ["--preset", name], {"prog": "run.py", "description": ""}
    return replaced(parse(Experiment, PRESETS, words, default_preset=None, **titles), settings)


def run_all(plan: Plan, out: Path) -> None:
    """Train what is missing of a plan, seed by seed; what other processes are at is waited for.

    Raises:
      UserError: A run is refused; every variant is checked before anything is trained.
    """
    settings = load(plan)
    for (data, _, variant), (tables, config) in settings.items():
        with _named(f"{variant.name} on {data.name}"):
            check_run(tables, config, variant.method, plan.seeds[0])

    def run(folders: Mapping[Wanted, Path]) -> None:
        (first, *_), by_seed = folders, {key.seed: folder for key, folder in folders.items()}
        run_seeds(*settings[first[:3]], first.variant.method, by_seed, _options(first))

    share_runs({key: key.folder(out) for key in wanted_runs(plan)}, run)


def wanted_runs(plan: Plan) -> list[Wanted]:
    """Return all runs, seed by seed, so that every variant has some as soon as may be."""
    return [
        Wanted(data, percent, variant, seed)
        for seed in plan.seeds
        for data in plan.data
        for variant in plan.variants
        for percent in _percents(plan, variant)
    ]


def _percents(plan: Plan, variant: Variant) -> tuple[int, ...]:
    """Return the rates of access of a variant, which mean nothing where none are read."""
    return plan.access if METHODS[variant.method].reads_confounds else (100,)


def _options(key: Wanted) -> RunOptions:
    about = {} if key.data.preset else {"table": to_dict(from_dict(TableConfig, key.data.table))}
    return RunOptions(resume=True, about=about)


# The table


def rows_of(plan: Plan, out: Path) -> list[Row]:
    """Return the table of the runs that there are, a row for each data set, rate and variant.

    Raises:
      UserError: The runs of one row were made on different kinds of device.
    """
    found: dict[tuple[Data, int, Variant], dict[int, RunResult]] = {}
    for key in wanted_runs(plan):
        if (key.folder(out) / "result.json").exists():
            found.setdefault(key[:3], {})[key.seed] = read_result(key.folder(out))
    rows, first = [], plan.variants[0]
    for place in sorted(found, key=lambda place: (place[0].name, -place[1])):
        data, percent, variant = place
        at = percent if percent in _percents(plan, first) else 100
        reference = {} if variant is first else found.get((data, at, first), {})
        rows.append(_row(data.name, percent, variant.name, found[place], reference))
    return rows


def _row(data: str, percent: int, variant: str, runs: dict[int, RunResult], reference: dict) -> Row:
    devices = {run.device for run in (*runs.values(), *reference.values())}
    if len(devices) > 1:
        raise UserError(
            f"runs of {variant} on {data} and of its reference were made on {' and '.join(devices)}"
            ", which are not compared in one test; give each kind of device an --out of its own"
        )
    shared = [seed for seed in runs if seed in reference]
    values = [runs[seed].test_accuracy for seed in shared]
    others = [reference[seed].test_accuracy for seed in shared]
    return [
        data,
        f"{percent} %",
        variant,
        str(len(runs)),
        *(
            _percent([getattr(run, name) for run in runs.values()])
            for name in ("test_accuracy", "worst_group_accuracy", "balanced_accuracy")
        ),
        f"{100 * min(run.worst_group_accuracy for run in runs.values()):.1f}",
        _percent([run.dev_accuracy for run in runs.values()]),
        f"{summarise([run.cid for run in runs.values() if run.cid is not None]).mean:.3f}",
        _percent([run.swapped.share for run in runs.values() if run.swapped]),
        str(sum(run.has_collapsed for run in runs.values())),
        f"{summarise([run.minutes for run in runs.values()]).mean:.1f}",
        100 * (summarise(values).mean - summarise(others).mean) if shared else None,
        paired_test(values, others).p,
        permutation_test(values, others).p,
    ]


def _percent(values: list[float]) -> str | None:
    if not values:
        return None
    mean, sd, _ = summarise(values)
    return f"{100 * mean:.1f}" if math.isnan(sd) else f"{100 * mean:.1f} ± {100 * sd:.1f}"


def main(argv: list[str]) -> None:
    """Run a plan, or render the runs of it that there are."""
    options = _parser().parse_args(argv)
    use_hardware(options)
    plan = read_plan(options.plan, dict(options.place))
    for name in ("data", "variants"):
        if chosen := getattr(options, name):
            known = {of.name: of for of in getattr(plan, name)}
            if unknown := [of for of in chosen if of not in known]:
                raise UserError(
                    f"the plan has no {unknown[0]} in {name}; it has {_listed({*known})}"
                )
            plan = plan._replace(**{name: tuple(known[of] for of in chosen)})
    plan = plan._replace(seeds=options.seeds or plan.seeds, access=options.access or plan.access)
    if not options.render:
        run_all(plan, options.out)
    rows = rows_of(plan, options.out)
    if not rows:
        raise UserError(f"{options.out}: no run of the plan has finished; leave out --render")
    missing = sum(
        not (run.folder(options.out) / "result.json").exists() for run in wanted_runs(plan)
    )
    caption = (
        "Accuracies on test and dev in per cent, mean and standard deviation over seeds; tests "
        f"compare the accuracy on test with that of {plan.variants[0].name} on the same seeds."
        + (f" {missing} runs are missing." if missing else "")
    )
    paths = write_table(options.out, options.plan.stem, HEADER, rows, caption=caption)
    print(to_text(HEADER, rows))
    print(f"\n{caption}\n")
    print("\n".join(map(str, paths)))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="laboratory.py", description="Run a plan of variants, data and seeds.")
    add = parser.add_argument
    add("plan", type=Path, metavar="PLAN.toml", help="what to run")
    add("--out", type=Path, default=Path("runs/laboratory"), help="where runs are kept")
    told = "where the data NAME of the plan lie, or its control: NAME.control=FOLDER"
    add("--place", type=_place, action="append", default=[], metavar="NAME=PATH", help=told)
    for name in ("data", "variants"):
        kind = list_of(str, name, bool)
        add(f"--{name}", type=kind, metavar="A,B", help=f"only these {name} of the plan")
    kind = list_of(int, "integers from 0 to 2**32 - 1", range(2**32).__contains__)
    add("--seeds", type=kind, metavar="A,B", help="only these seeds")
    kind = list_of(int, "percentages from 1 to 100", range(1, 101).__contains__)
    add("--access", type=kind, metavar="A,B", help="only these percentages")
    add("--render", action="store_true", help="run nothing; take the runs that have finished")
    add_hardware(parser)
    return parser


def _place(text: str) -> tuple[str, str]:
    name, is_given, path = text.partition("=")
    if not name or not is_given or not path:
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=PATH")
    return name, path


if __name__ == "__main__":
    use_compilation_cache()
    sys.exit(run_main(main, sys.argv[1:]))
