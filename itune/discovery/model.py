"""The search for what a model in a folder leans on, in the table that it was trained on."""

import dataclasses
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np

from itune.auditing.significance import CIDTest
from itune.config import to_dict
from itune.discovery.association import associate
from itune.discovery.candidates import Candidates, by_rule, find_candidates, is_named, merge
from itune.discovery.config import DiscoverConfig
from itune.discovery.confirmation import (
    Counterfactual,
    ErrorGap,
    measure_cid,
    measure_exactly,
)
from itune.discovery.counterparts import with_counterparts
from itune.discovery.features.base import Feature
from itune.discovery.features.columns import unfit
from itune.discovery.findings import Discovery, Finding, Screened
from itune.discovery.judged import Judged, rows_of
from itune.discovery.pairs import with_pairs
from itune.discovery.screening import Screening, cid_by_label, screen
from itune.discovery.sketching import sketch_rows
from itune.errors import UserError
from itune.metrics.corrections import holm
from itune.tables.config import TEXTS
from itune.tables.further import Columns, Further
from itune.tables.rules import parse_rule
from itune.tables.table import Table, Tables
from itune.training.record import EVERY, find_record
from itune.training.settings import TrainingConfig
from itune.training.trained_model import LoadedModel, load_model
from itune.utils.files import digest_of
from itune.utils.progress import OnProgress, no_progress
from itune.utils.resumable import Resumable, State

T = TypeVar("T")

SHOWN = 3
"""Example rows of each finding."""

CONFIRMED = "confirmed"
"""Folder beside the sketches for what an interrupted search has measured of candidates."""


def discover_model(
    folder: str | Path,
    tables: Tables,
    config: DiscoverConfig | None = None,
    on_progress: OnProgress = no_progress,
    *,
    further: Further | None = None,
    say: Callable[[str], None] = lambda sentence: None,
    keep: Path | None = None,
    described: Mapping[str, Any] | None = None,
) -> Discovery:
    """Search for what a model leans on, in the table that it was trained on.

    ``further`` are further columns of the table; if nobody has named them, those that cannot be
    candidates are left out, and a note says so. ``keep`` is a folder for the sketches alone, from
    which an interrupted search goes on; what it has measured of candidates is there, too, until the
    end. ``described`` are the settings of the table for commands; see :class:`Discovery`.

    Raises:
      UserError: The folder holds no such model, its classes are not the table's labels, or there
        are too few rows.
    """
    config = DiscoverConfig() if config is None else config
    record = find_record(folder)
    trained_length = None if record is None else record.config.max_length
    model = load_model(folder, tables, config.max_length or trained_length)
    rng = np.random.default_rng(config.seed)
    columns, column_notes = _chosen(further or Further(), tables.train, config.columns)
    for note in (*tables.notes, *model.notes, *column_notes):
        say(note)
    chosen = np.arange(tables.train.size)
    if len(chosen) > config.rows:
        chosen = np.sort(rng.choice(chosen, config.rows, replace=False))
        say(f"{config.rows} of {tables.train.size} training rows are drawn")
    if len(chosen) < 4 * config.minimum:
        raise UserError(
            f"{tables.train.name}: {len(chosen)} training rows are too few to find anything with "
            f"minimum {config.minimum}; give it more rows, or set minimum lower"
        )
    table = tables.train.take(chosen)
    search = _Search(model, config, rng, table, columns, on_progress)
    with jax.default_matmul_precision("highest"):
        found = search.run(str(folder), tables, keep)
    notes = (*found.notes, *column_notes)
    encoder = None if record is None else record.config.encoder
    if encoder == TrainingConfig().encoder:
        encoder = None
    return dataclasses.replace(found, notes=notes, table=described, encoder=encoder)


def _chosen(
    further: Further, train: Table, names: Sequence[str]
) -> tuple[Columns, tuple[str, ...]]:
    """Return the further columns that are looked at, and a note on them if nobody named them."""
    if tuple(names) != (EVERY,):
        return further.columns, ()
    left_out = dict(further.left_out)
    for name, (codes, values) in further.columns.items():
        if why := unfit(codes["train"][train.rows], values, train.label):
            left_out[name] = why
    columns = {name: of for name, of in further.columns.items() if name not in left_out}
    if not columns and not left_out:
        return {}, ()
    others = ", ".join(f"{name} ({why})" for name, why in left_out.items())
    looked_at = f"columns looked at: {', '.join(columns) or 'none'}"
    return columns, (looked_at + (f"; left out: {others}" if others else ""),)


class _Search:
    """One search: rows that screen, rows that confirm, and what is found out by them."""

    def __init__(
        self,
        model: LoadedModel,
        config: DiscoverConfig,
        rng: np.random.Generator,
        table: Table,
        columns: Columns,
        on_progress: OnProgress,
    ):
        self._model, self._config, self._rng = model, config, rng
        self._table, self._on_progress = table, on_progress
        self._train = model.encode(table)
        self._columns, self._rows = columns, rows_of(table, "train", columns)
        self._screened, self._confirming = _parts(self._train.label, config.screened, rng)

    def run(self, folder: str, tables: Tables, keep: Path | None) -> Discovery:
        """Sketch all rows, screen by some, confirm by the others, and rank."""
        config, model = self._config, self._model
        sketches = sketch_rows(
            model.classifier.loss,
            model.params,
            self._train,
            size=config.size,
            seed=config.seed,
            chunk=config.chunk,
            folder=keep,
            on_progress=partial(self._on_progress, "sketches"),
        ).values
        candidates, z = self._screen(sketches)
        order = np.argsort(-z, kind="stable")
        merged = merge(candidates, order[z[order] > 0], config.confirmed)
        every = Screened(
            candidates.features,
            np.diff(candidates.rows.indptr),
            associate(candidates.rows, self._train.label),
            self._scores(sketches, candidates),
        )
        taken = candidates.take(merged.places)
        features = with_counterparts(
            taken.features, candidates, every.association.usual, self._rows, self._screened
        )
        chosen = by_rule(taken._replace(features=features), self._rows)
        explained = self._scores(sketches, chosen).explained
        association = associate(chosen.rows, self._train.label)
        by_label = cid_by_label(
            sketches[self._confirming],
            self._train.label[self._confirming],
            chosen.among(self._confirming),
            len(model.label_names),
        )
        core = parse_rule(config.core) if config.core else None
        having = chosen.rows.toarray() > 0
        folder_of_measures = None if keep is None else keep / CONFIRMED
        about = self._about(tables, chosen.features)
        with Resumable(folder_of_measures, about) as resumable:
            judged = Judged(
                model, tables, self._table.take(self._confirming), self._columns, resumable
            )

            def measure(number: int) -> dict[str, Any]:
                usual = int(association.usual[number])
                return self._measure(
                    sketches, chosen.features[number], having[number], usual, judged
                )

            measured = self._each("candidates", range(len(chosen.features)), measure, resumable)
            corrected = holm([one["test"]["p"] if one["test"] else math.nan for one in measured])
            findings = [
                Finding(
                    feature=chosen.features[number],
                    aliases=tuple(candidates.features[n].name for n in merged.aliases[number]),
                    count=int(having[number].sum()),
                    usual=int(association.usual[number]),
                    rate=float(association.rate[number]),
                    association=float(association.z[number]),
                    pmi=float(association.pmi[number]),
                    z=float(z[place]),
                    explained=float(explained[number]),
                    test=CIDTest(**one["test"]) if one["test"] else None,
                    p=corrected[number],
                    errors=ErrorGap(**one["errors"]),
                    deletion=_counterfactual(one["deletion"]),
                    swap=_counterfactual(one["swap"]),
                    by_label=tuple(by_label[number].tolist()),
                    is_core=is_named(chosen.features[number], core),
                    examples=tuple(map(tuple, one["examples"])),
                )
                for number, (place, one) in enumerate(
                    zip(merged.places.tolist(), measured, strict=True)
                )
            ]
            findings.sort(key=lambda one: one.rank)
            findings = self._with_exact(findings, resumable)
            resumable.forget()
        return Discovery(
            model=folder,
            label_names=model.label_names,
            findings=tuple(findings),
            candidates=len(candidates.features),
            screened=len(self._screened),
            confirming=len(self._confirming),
            judged_on=judged.name,
            judged=len(judged.label),
            accuracy=float(judged.is_right.mean()),
            is_constant=judged.is_constant,
            config=config,
            digest=tables.digest(),
            notes=(*tables.notes, *model.notes),
            every=every,
        )

    def _about(self, tables: Tables, features: Sequence[Feature]) -> dict[str, Any]:
        """Return what decides the measures of candidates, beside the program."""
        columns = {
            name: (digest_of(list(codes.values())), names)
            for name, (codes, names) in self._columns.items()
        }
        return {
            "params": digest_of(self._model.params),
            "data": tables.digest(),
            "tokens": digest_of([*self._train.input_ids]),
            "columns": columns,
            "candidates": [feature.name for feature in features],
            "config": to_dict(self._config),
        }

    def _each(
        self,
        name: str,
        items: Sequence[T],
        measure: Callable[[T], dict[str, Any] | None],
        resumable: Resumable,
    ) -> list[Any]:
        """Measure items one after another, but for those that an interrupted search has measured.

        Random draws go on as if there had been no interruption.
        """

        def restore(state: State) -> list[Any]:
            if not state:
                return []
            self._rng.bit_generator.state = json.loads(str(state["rng"]))
            return json.loads(str(state["measured"]))

        def step(state: State, item: T) -> State:
            measured = [*restore(state), measure(item)]
            rng = self._rng.bit_generator.state
            return {"measured": np.array(json.dumps(measured)), "rng": np.array(json.dumps(rng))}

        def report(done: int) -> None:
            self._on_progress(name, done, len(items))

        return restore(resumable.fold(name, {}, items, step, report))

    def _measure(
        self, sketches: np.ndarray, feature: Feature, has: np.ndarray, usual: int, judged: "Judged"
    ) -> dict[str, Any]:
        """Return what a feature that some rows have comes to, as JSON can hold it."""
        config, confirming = self._config, self._confirming
        test = measure_cid(
            sketches[confirming],
            self._train.label[confirming],
            has[confirming],
            self._rng,
            sample=config.sample,
            draws=config.draws,
        )
        errors, deletion, swap = judged.measure(feature, usual, config.changed, self._rng)
        return {
            "test": dataclasses.asdict(test) if test else None,
            "errors": errors._asdict(),
            "deletion": dataclasses.asdict(deletion) if deletion else None,
            "swap": dataclasses.asdict(swap) if swap else None,
            "examples": list(self._examples(has, usual, TEXTS.index(feature.text))),
        }

    def _screen(self, sketches: np.ndarray) -> tuple[Candidates, np.ndarray]:
        """Return all candidates, pairs of the strongest too, and their z."""
        config, exclude = self._config, self._config.exclude
        rule = parse_rule(exclude) if exclude else None
        singles = find_candidates(self._rows, config.minimum, rule)
        if not singles.features:
            raise UserError(
                f"{self._table.name}: no feature is in {config.minimum} rows or more and missing "
                "in as many; set minimum lower, or give more rows"
            )
        return with_pairs(
            singles,
            lambda candidates: self._scores(sketches, candidates).z,
            minimum=config.minimum,
            most=config.confirmed,
        )

    def _scores(self, sketches: np.ndarray, candidates: Candidates) -> Screening:
        rows = candidates.among(self._screened)
        label = self._train.label[self._screened]
        found = screen(sketches[self._screened], label, rows, np.random.default_rng(0))
        # Those that are rare among the rows that screen are left to chance otherwise.
        count = np.diff(rows.indptr)
        is_rare = np.minimum(count, len(self._screened) - count) < self._config.minimum
        return found._replace(z=np.where(is_rare, 0.0, found.z))

    def _with_exact(self, findings: Sequence[Finding], resumable: Resumable) -> list[Finding]:
        """Measure the CID of what is confirmed by exact influences, too."""

        def measure(one: Finding) -> dict[str, Any] | None:
            test = measure_exactly(
                self._model.classifier,
                self._model.params,
                self._train,
                self._confirming,
                one.feature.holds(self._rows)[self._confirming],
                self._rng,
                sample=self._config.exact,
                draws=self._config.draws,
                chunk=self._config.chunk,
            )
            return dataclasses.asdict(test) if test else None

        confirmed = [one for one in findings if one.is_confirmed and self._config.exact]
        tests = self._each("exact CID", confirmed, measure, resumable)
        corrected = holm([test["p"] if test else math.nan for test in tests])
        exact = {
            id(one): dataclasses.replace(one, exact=CIDTest(**test), exact_p=p)
            for one, test, p in zip(confirmed, tests, corrected, strict=True)
            if test
        }
        return [exact.get(id(one), one) for one in findings]

    def _examples(self, has: np.ndarray, usual: int, column: int) -> Iterator[tuple[int, str, int]]:
        against = np.flatnonzero(has & (self._train.label != usual))
        rows = against if len(against) else np.flatnonzero(has)
        for row in self._rng.permutation(rows)[:SHOWN].tolist():
            number = int(self._table.rows[row])
            yield number, self._table.texts(row)[column], int(self._train.label[row])


def _counterfactual(found: Any) -> Counterfactual | None:
    """Return what predictions did, from what JSON holds of it."""
    return found and Counterfactual(**found | {"towards": tuple(found["towards"])})


def _parts(
    label: np.ndarray, share: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Split rows in two, a share of each label in the first; ascending indices."""
    first = []
    for y in np.unique(label):
        rows = rng.permutation(np.flatnonzero(label == y))
        first.append(rows[: max(round(share * len(rows)), 1)])
    chosen = np.sort(np.concatenate(first))
    return chosen, np.setdiff1d(np.arange(len(label)), chosen)
