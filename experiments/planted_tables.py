"""The tables of planted shortcuts: ranks, recall and precision by order, and accusations."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from itune.utils import to_text
from planted_cases import Case

TOPS = (5, 20)
ORDERS = ("discover", "z", "PMI", "gradient × input", "random")

Record: TypeAlias = Mapping[str, Any]


def is_plant(mark: Mapping[str, Any], plant: int) -> bool:
    """Return whether a candidate is a plant: phi of .8 or more."""
    return abs(mark["phi"][plant]) >= 0.8


def is_right(mark: Mapping[str, Any], plant: int) -> bool:
    """Return whether a candidate is right by a plant: phi of .5 or more, or one of its words."""
    return abs(mark["phi"][plant]) >= 0.5 or mark["named"][plant]


def render(cases: Sequence[Record]) -> str:
    """Return the tables of some cases as text; sums are over those of the usual size, if any is."""
    usual = [one for one in cases if Case(**one["case"]).rows is None] or cases
    finetuned = [one for one in usual if Case(**one["case"]).against is None]
    parts = [_by_plant(cases), _by_order(finetuned), _accusations(usual), _tuned(cases)]
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
        for is_hit in (is_plant, is_right)
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
    return float(any(is_plant(mark, plant) for mark in one["orders"][name][:k]))


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
            shares.append(sum(any(is_right(m, n) for n in _used(one)) for m in marks) / k)
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
                    plants = [n for n in range(len(one["plants"])) if is_right(mark, n)]
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
        if is_right(mark, number)
    ]
    accused = (sum(of[what] for of in said) for what in ("harmful", "confirmed"))
    return f"{100 * one['test_accuracy']:.1f}", f"{plant['pull']:+.2f}", *accused
