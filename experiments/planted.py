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
import random
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

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
from itune.utils import use_compilation_cache, write_json
from other_orders import rank_otherwise, rows_of, taken
from planted_cases import CASES, Case
from planted_tables import TOPS, is_plant, is_right, render
from planting import (
    RELEASED,
    WORDS,
    Plant,
    Row,
    draw_plants,
    insert,
    mislabel,
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
    plain = read_corpus(case.corpus, case.seed, data, case.rows)
    plain["train"] = mislabel(plain["train"], case.noise / 100, random.Random(f"noise {case.seed}"))
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
            "plants": [sum(is_plant(mark, plant) for mark in marks) for plant in plants],
            "right": sum(any(is_right(mark, plant) for plant in plants) for mark in marks),
        }


if __name__ == "__main__":
    use_compilation_cache()
    sys.exit(run_main(main, sys.argv[1:], interrupted="the same command goes on"))
