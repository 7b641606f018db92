"""Discover, measured on shortcuts that are planted: are they found, and is nobody else accused?

``python experiments/planted.py --out FOLDER --data FOLDER`` trains what is missing of
:data:`CASES`, searches, and writes one JSON file a case; started again it goes on. Without
``--data`` the cases of released data are left out. ``--render FILE.json`` gathers the cases
that have finished into one file and prints their tables; ``--results FILE.json`` prints them again.

A case is a table with a plant of each kind (:mod:`planting`), and a model that was finetuned on it;
or on the same rows with plants that tell nothing, which is a model that has no reason to use them,
whatever the table says; or one that was tuned against a plant that the finetuned one uses, by the
defaults of its method. What is measured:

- **pull** of a plant, whether the model uses it, by no gradient: the share of test rows with the
  other label, without anything planted, that are predicted as the plant's label once it is put in,
  less the same share with a placebo (a lure of its kind, or another word; nothing for a length). It
  is **used** if that is .1 or more.
- Five **orders** of candidates: that of ``itune discover`` with its default settings (but without
  exact influences and deletions, which change no order); and of all candidates of the training
  rows, with pairs of the strongest, that by association with the label (z, PMI), by gradient ×
  input, and a random one (in expectation, without pairs). Gradient × input of a candidate is the
  mean, over the rows that have it, of its tokens' share of the absolute products of the predicted
  logit's gradient and the input vector, times the number of tokens: 1 is a token like any other.
  These orders are of candidates with at least 16 rows, since discover asks for 8 of the half that
  it screens by. In all of them candidates that mean the same rows count once.
- A candidate **is** a plant if the phi coefficient of having the one and the other is .8 or more in
  absolute value, over the training rows. It is **right** if that is .5 or more, or if one of its
  words is a planted one: a part of a plant, or a neighbour along with it. **Recall** at k is the
  share of plants that are among the first k; **precision** at k is the share of right ones among
  them.
- **Accusations**: findings that are said to harm, or to be used; those that are right by a plant
  that is used, right only by plants that are not, and others. The latter two are false, but for
  genuine cues that do mislead the model, which are among the others.
- Of a model that was tuned against a plant: its pull, and the findings that are right by it and
  said to harm or to be used, before (of the finetuned model of the same table) and after.
"""

import json
import math
import random
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import jax
import numpy as np

import itune
from itune.cli import Parser, run_main
from itune.discovery import (
    Candidates,
    Feature,
    merge,
)
from itune.tables import TableConfig, make_tables
from itune.training import commit, load_model, machine
from itune.utils import to_text, use_compilation_cache, write_json
from other_orders import rank_otherwise, rows_of, taken
from planting import (
    KINDS,
    RELEASED,
    WORDS,
    Plant,
    Row,
    draw_plants,
    insert,
    plant_rows,
    read_corpus,
)

SETTINGS = {
    "label.epochs": 2,
    "label.batch": 16,
    "label.learning_rate": 1e-4,
    "max_length": 96,
    "selection": "last",
    "cid_when": "end",
    "accuracy_when": "end",
    "cid_probes": 4,
    "cid_rows": 32,
}
"""How models are finetuned: one rate for all, two epochs of 30 steps."""

SEARCH = {"columns": ("source",), "exact": 0, "changed": 1}

MINIMUM = 16
"""Rows that candidates of the other orders have."""

SHOWN = 100
"""Test rows that pull is measured on."""

TOPS = (5, 20)
ORDERS = ("discover", "z", "PMI", "gradient × input", "random")


@dataclass(frozen=True)
class Case:
    """A table with plants, and the model that is searched with it.

    Attributes:
      corpus: Name of a corpus, as :func:`planting.read_corpus` reads it.
      strength: Share, in per cent, of the rows with a plant that have its label.
      prevalence: Share, in per cent, of the training rows that have a plant.
      trained: Strength in the rows that the model was finetuned on; ``strength`` if None.
      seed: Seed of corpus, plants and training.
      kinds: Kinds of the plants.
      method: Method of training; finetuning knows of no confound.
      against: Kind of the plant that is the confound of another method, by a rule of its words.
    """

    corpus: str
    strength: int = 90
    prevalence: int = 10
    trained: int | None = None
    seed: int = 11
    kinds: tuple[str, ...] = ("word", "context", "column", "first", "ordered")
    method: str = "finetuning"
    against: str | None = None

    @property
    def model(self) -> str:
        """Name of the model, which cases with the same training share."""
        strength = self.strength if self.trained is None else self.trained
        length = "-length" if "length" in self.kinds else ""
        tuned = f"-{self.method}-{self.against}" if self.against else ""
        return f"{self.corpus}-{strength}-{self.prevalence}-{self.seed}{length}{tuned}"

    @property
    def name(self) -> str:
        """Name of the file."""
        return f"{self.model}-at-{self.strength}"


CORPORA = ("reviews", "newswire")

CASES = (
    *(Case(corpus) for corpus in CORPORA),
    *(Case(corpus, strength, trained=50) for corpus in CORPORA for strength in (90, 50)),
    *(Case(corpus, prevalence=30) for corpus in CORPORA),
    *(Case(corpus, strength=70) for corpus in CORPORA),
    *(Case(corpus, prevalence=5) for corpus in CORPORA),
    *(Case(corpus, strength=99) for corpus in CORPORA),
    Case("reviews", kinds=tuple(KINDS)),
    *(Case(corpus) for corpus in RELEASED),
    *(Case(corpus, trained=50) for corpus in RELEASED),
    *(Case(corpus, strength=99) for corpus in RELEASED),
    *(Case(corpus, prevalence=30) for corpus in RELEASED),
    *(Case(corpus, strength=60) for corpus in CORPORA),
    *(
        replace(case, method=method, against=against)
        for case, against in (
            (Case("newswire", prevalence=30), "word"),
            (Case("newswire"), "ordered"),
            (Case("reviews", prevalence=30), "ordered"),
        )
        for method in ("influence_tuning", "balanced_sampling")
    ),
)
"""All cases: a cross of strengths and prevalences, not their product, on one seed."""


def main(argv: list[str]) -> None:
    """Run what is missing, or render what there is."""
    parser = Parser(prog="planted.py", description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--out", type=Path, default=Path("runs/planted"), help="where cases are kept")
    add("--data", type=Path, help="folder of released data, which some cases need")
    add("--only", default="", metavar="TEXT", help="only cases whose names have this text")
    add("--render", type=Path, metavar="FILE", help="run nothing; gather what has finished there")
    add("--results", type=Path, metavar="FILE", help="run nothing; print the tables of this file")
    add("--seed", type=int, help="take another seed, to try something out")
    options = parser.parse_args(argv)
    cases = [case for case in CASES if options.only in case.name]
    if options.seed is not None:
        cases = [replace(case, seed=options.seed) for case in cases]
    if options.results:
        print(render(json.loads(options.results.read_text("utf-8"))["cases"]))
        return
    if options.render is None:
        for case in cases:
            if case.corpus in RELEASED and options.data is None:
                print(f"{case.name} needs --data; left out", file=sys.stderr)
            else:
                run_case(case, options.out, options.data)
    paths = [options.out / f"{case.name}.json" for case in cases]
    records = [json.loads(path.read_text("utf-8")) for path in paths if path.exists()]
    if options.render:
        write_json(options.render, {"about": _about(), "cases": [*map(_masked, records)]})
    print(render(records))


def _masked(record: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of a case without the words of the tweets, which are crude."""
    if record["case"]["corpus"] != "tweets":
        return record
    orders = {
        name: [
            mark if any(mark["named"]) else {**mark, "name": re.sub('".*"', '"…"', mark["name"])}
            for mark in marks
        ]
        for name, marks in record["orders"].items()
    }
    return {**record, "orders": orders}


def _about() -> dict[str, Any]:
    return {
        "itune": itune.__version__,
        "jax": jax.__version__,
        "machine": machine(),
        "training": SETTINGS,
        "minimum": MINIMUM,
    }


# One case


def run_case(case: Case, out: Path, data: Path | None) -> None:
    """Finetune the case's model unless it is there, search, and write what was found."""
    path = out / f"{case.name}.json"
    if path.exists():
        return
    print(case.name, file=sys.stderr, flush=True)
    started = time.perf_counter()
    plain = read_corpus(case.corpus, case.seed, data)
    plants = draw_plants(case.kinds, random.Random(f"plants {case.corpus} {case.seed}"))
    # Every other plant speaks for the other label.
    labels = sorted({row.label for row in plain["train"]})
    usual = [labels[(number + case.seed) % 2] for number in range(len(plants))]
    trained = case.strength if case.trained is None else case.trained
    folder = out / "models" / case.model
    given, _ = _planted(case, plants, plain, usual, trained)
    run = itune.tune(
        **given,
        out=folder,
        method=case.method,
        seed=case.seed,
        settings=SETTINGS,
        resume=True,
        **_confound(case, plants),
    )
    given, has = _planted(case, plants, plain, usual, case.strength)
    found = itune.discover(folder, **given, confound=None, settings=SEARCH)
    tables = make_tables(
        given["data"], TableConfig(confound=None), dev=given["dev"], test=given["test"]
    )
    model = load_model(folder, tables, SETTINGS["max_length"])
    rows = [Row(**row) for row in given["data"]]
    ranked = {
        "discover": [(one.feature, one.feature.holds(rows_of(rows))) for one in found.findings]
    }
    singles, others = rank_otherwise(
        rows,
        np.asarray(tables.train.label),
        model,
        folder,
        minimum=MINIMUM,
        max_length=SETTINGS["max_length"],
        count=max(TOPS),
    )
    judge = Judge(plants, has)
    predict = itune.load(folder).predict
    write_json(
        path,
        {
            "case": asdict(case),
            "plants": [
                {
                    "kind": plant.kind,
                    "words": plant.words,
                    "label": label,
                    "rows": int(having.sum()),
                    "pull": _pull(predict, plant, plain["test"], label, case.seed),
                }
                for plant, label, having in zip(plants, usual, has, strict=True)
            ],
            "test_accuracy": run.test_accuracy,
            "orders": {
                name: [judge.mark(*one) for one in of] for name, of in (ranked | others).items()
            },
            "random": judge.at_random(singles),
            "said": [
                {"confirmed": one.is_confirmed, "harmful": one.is_harmful} for one in found.findings
            ],
            "candidates": found.candidates,
            "digest": found.digest,
            "commit": commit(),
            "minutes": (time.perf_counter() - started) / 60,
        },
    )


def _confound(case: Case, plants: Sequence[Plant]) -> dict[str, str]:
    if case.against is None:
        return {"confound": "source"}  # finetuning makes no use of it
    (plant,) = (plant for plant in plants if plant.kind == case.against)
    return {"rule": f"words:{' '.join(plant.words)}"}


def _planted(
    case: Case,
    plants: Sequence[Plant],
    plain: Mapping[str, list[Row]],
    usual: Sequence[str],
    strength: int,
) -> tuple[dict[str, list[dict[str, str]]], np.ndarray]:
    """Return rows by the argument that they are for, and which training rows have which plant."""
    given, has = {}, []
    for split, rows in plain.items():
        for plant, label in zip(plants, usual, strict=True):
            rows, having = plant_rows(
                rows,
                plant,
                label,
                strength=strength / 100 if split == "train" else 0.5,
                prevalence=case.prevalence / 100,
                rng=random.Random(f"rows {split} {plant.kind} {case.seed}"),
            )
            if split == "train":
                has.append(having)
        given["data" if split == "train" else split] = [row._asdict() for row in rows]
    return given, np.array(has)


def _pull(
    predict: Callable[[list[str]], np.ndarray],
    plant: Plant,
    rows: Sequence[Row],
    label: str,
    seed: int,
) -> float:
    rng = random.Random(seed)
    others = [row for row in rows if row.label != label][:SHOWN]
    if plant.lures:
        placebo = plant.lures[0]
    else:
        word = next(word for word in WORDS if word not in plant.words)
        placebo = insert(word) if plant.words else lambda row, rng: row
    shares = [
        float(np.mean(predict([put(row, rng).text for row in others]) == label))
        for put in (plant.put, placebo)
    ]
    return shares[0] - shares[1]


class Judge:
    """Tells which candidates are plants, or right by them.

    Args:
      plants: The plants, P of them.
      has: Which training rows have which, ``(P, N)`` bools.
    """

    def __init__(self, plants: Sequence[Plant], has: np.ndarray):
        self._plants, self._has = plants, has

    def mark(self, feature: Feature, having: np.ndarray) -> dict[str, Any]:
        """Return a candidate's name, and phi and whether it has a planted word, by plant."""
        phi = np.corrcoef(np.vstack([having, self._has]))[0, 1:]
        words = set(feature.surface.split())
        named = [not words.isdisjoint(plant.words) for plant in self._plants]
        return {"name": feature.name, "phi": phi.round(4).tolist(), "named": named}

    def at_random(self, singles: Candidates) -> dict[str, Any]:
        """Return how many candidates differ, and how many of them are each plant, or right."""
        merged = merge(singles, np.arange(len(singles.features)), len(singles.features))
        marks = [self.mark(*taken(singles, place)) for place in merged.places.tolist()]
        plants = range(len(self._plants))
        return {
            "candidates": len(marks),
            "plants": [sum(_is_plant(mark, plant) for mark in marks) for plant in plants],
            "right": sum(any(_is_right(mark, plant) for plant in plants) for mark in marks),
        }


def _is_plant(mark: Mapping[str, Any], plant: int) -> bool:
    return abs(mark["phi"][plant]) >= 0.8


def _is_right(mark: Mapping[str, Any], plant: int) -> bool:
    return abs(mark["phi"][plant]) >= 0.5 or mark["named"][plant]


# The tables

Record: TypeAlias = Mapping[str, Any]


def render(cases: Sequence[Record]) -> str:
    """Return the tables of some cases as text."""
    finetuned = [one for one in cases if Case(**one["case"]).against is None]
    parts = [_by_plant(cases), _by_order(finetuned), _accusations(cases), _tuned(cases)]
    return "\n\n".join(filter(None, parts))


def _by_plant(cases: Sequence[Record]) -> str:
    """Return the rank of each plant, and of the first that is right by it, in each order."""
    header = ("model", "at", "test", "plant", "pull", *ORDERS[:-1])
    rows = [
        [
            Case(**one["case"]).model,
            f"{one['case']['strength']} %",
            f"{100 * one['test_accuracy']:.1f}",
            plant["kind"],
            f"{plant['pull']:+.2f}",
            *(_ranks(one["orders"][name], number) for name in ORDERS[:-1]),
        ]
        for one in cases
        for number, plant in enumerate(one["plants"])
    ]
    return to_text(header, rows)


def _ranks(marks: Sequence[Record], plant: int) -> str:
    ranks = (
        next((str(n) for n, mark in enumerate(marks, 1) if is_hit(mark, plant)), "–")
        for is_hit in (_is_plant, _is_right)
    )
    return " / ".join(ranks)


def _used(one: Record) -> list[int]:
    return [number for number, plant in enumerate(one["plants"]) if plant["pull"] >= 0.1]


def _by_order(cases: Sequence[Record]) -> str:
    """Return recall of plants, used and not, and precision over all tables, in each order."""
    rows = []
    for name in ORDERS:
        row: list[str] = [name]
        for is_used in (True, False):
            for k in TOPS:
                hits = [
                    _recall(one, name, plant, k)
                    for one in cases
                    for plant in range(len(one["plants"]))
                    if (plant in _used(one)) == is_used
                ]
                row.append(f"{np.mean(hits):.2f} of {len(hits)}" if hits else "–")
        rows.append([*row, *(f"{_precision(cases, name, k):.2f}" for k in TOPS)])
    whose = ("used: recall", "not used: recall", "precision")
    return to_text(("order", *(f"{what} at {k}" for what in whose for k in TOPS)), rows)


def _recall(one: Record, name: str, plant: int, k: int) -> float:
    if name == "random":
        total, whole = one["random"]["candidates"], one["random"]["plants"][plant]
        return 1 - math.comb(total - whole, k) / math.comb(total, k)
    return float(any(_is_plant(mark, plant) for mark in one["orders"][name][:k]))


def _precision(cases: Sequence[Record], name: str, k: int) -> float:
    """Return the mean share of those that are right by a plant that is used, of tables with one."""
    shares = []
    for one in cases:
        if not _used(one):
            continue
        if name == "random":
            shares.append(one["random"]["right"] / one["random"]["candidates"])
        else:
            marks = one["orders"][name][:k]
            shares.append(sum(any(_is_right(m, n) for n in _used(one)) for m in marks) / k)
    return float(np.mean(shares)) if shares else math.nan


def _accusations(cases: Sequence[Record]) -> str:
    rows = []
    for what, is_of in (
        ("with plants that tell", lambda case: case.trained is None and not case.against),
        ("without, searched where they tell", lambda case: case.trained and case.strength != 50),
        ("without, searched there", lambda case: case.trained and case.strength == 50),
        ("tuned against one that tells", lambda case: case.against),
    ):
        chosen = [one for one in cases if is_of(Case(**one["case"]))]
        for says in ("harmful", "confirmed") if chosen else ():
            by = {"used": 0, "unused": 0, "other": 0}
            for one in chosen:
                for mark, said in zip(one["orders"]["discover"], one["said"], strict=True):
                    plants = [n for n in range(len(one["plants"])) if _is_right(mark, n)]
                    used = not {*plants}.isdisjoint(_used(one))
                    by["used" if used else "unused" if plants else "other"] += said[says]
            rows.append([what, len(chosen), says, *by.values()])
    header = ("finetuned", "cases", "said to be", "right: used", "plants not used", "others")
    return to_text(header, rows)


def _tuned(cases: Sequence[Record]) -> str:
    """Return the plant that models were tuned against, before and after; empty if none was."""
    known = {Case(**one["case"]).name: one for one in cases}
    rows: list[tuple[Any, ...]] = []
    for one in cases:
        case = Case(**one["case"])
        before = replace(case, method="finetuning", against=None)
        if case.against and before.name in known:
            numbers = (_of_plant(of, case.against) for of in (known[before.name], one))
            rows.append((before.model, case.method, case.against, *chain(*numbers)))
    what = ("test", "pull", "harmful", "confirmed")
    measured = (f"{name} {when}" for when in ("before", "after") for name in what)
    header = ("model", "tuned by", "against", *measured)
    return to_text(header, rows) if rows else ""


def _of_plant(one: Record, kind: str | None) -> tuple[Any, ...]:
    """Return test accuracy, a plant's pull, and the findings right by it that are accused."""
    number, plant = next((n, of) for n, of in enumerate(one["plants"]) if of["kind"] == kind)
    said = [
        said
        for mark, said in zip(one["orders"]["discover"], one["said"], strict=True)
        if _is_right(mark, number)
    ]
    accused = (sum(of[what] for of in said) for what in ("harmful", "confirmed"))
    return f"{100 * one['test_accuracy']:.1f}", f"{plant['pull']:+.2f}", *accused


if __name__ == "__main__":
    use_compilation_cache()
    sys.exit(run_main(main, sys.argv[1:], interrupted="the same command goes on"))
