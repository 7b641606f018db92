"""The search for what a model in a folder leans on, in the table that it was trained on."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

import jax
import numpy as np
from scipy.sparse import csr_matrix, vstack

from itune.auditing.truncation import with_texts
from itune.discovery.association import associate
from itune.discovery.candidates import Candidates, find_candidates, gather, is_named, merge
from itune.discovery.config import DiscoverConfig
from itune.discovery.confirmation import (
    Deletion,
    ErrorGap,
    delete,
    measure_cid,
    measure_deletion,
    measure_errors,
    measure_exactly,
    predict_labels,
)
from itune.discovery.features.base import Feature, Rows
from itune.discovery.findings import Discovery, Finding
from itune.discovery.pairs import find_pairs
from itune.discovery.screening import screen
from itune.discovery.sketching import sketch_rows
from itune.errors import UserError
from itune.metrics.corrections import holm
from itune.tables.config import TEXTS
from itune.tables.rules import parse_rule
from itune.tables.table import Table, Tables
from itune.training.record import find_record
from itune.training.trained_model import LoadedModel, load_model
from itune.utils.progress import OnProgress, no_progress

SHOWN = 3
"""Example rows of each finding."""

FEW = 100
"""Rows of dev and test together, below which errors are counted on training rows instead."""

Columns: TypeAlias = Mapping[str, tuple[Mapping[str, np.ndarray], tuple[str, ...]]]
"""By the name of a further column: numbers of its values in each split, in the order of the split's
file, -1 where missing; and the names of the numbers."""


def discover_model(
    folder: str | Path,
    tables: Tables,
    config: DiscoverConfig | None = None,
    on_progress: OnProgress = no_progress,
    *,
    columns: Columns | None = None,
    say: Callable[[str], None] = lambda sentence: None,
    keep: Path | None = None,
    table_words: Sequence[str] = (),
) -> Discovery:
    """Search for what a model leans on, in the table that it was trained on.

    ``columns`` are further columns of the training rows. ``keep`` is a folder for the sketches
    alone, from which an interrupted search goes on. ``table_words`` name the table in commands.

    Raises:
      UserError: The folder holds no such model, its classes are not the table's labels, or there
        are too few rows.
    """
    config = DiscoverConfig() if config is None else config
    record = find_record(folder)
    trained_length = None if record is None else record.config.max_length
    model = load_model(folder, tables, config.max_length or trained_length)
    rng = np.random.default_rng(config.seed)
    for note in (*tables.notes, *model.notes):
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
    search = _Search(model, config, rng, table, columns or {}, on_progress)
    with jax.default_matmul_precision("highest"):
        found = search.run(str(folder), tables, keep)
    return dataclasses.replace(found, table_words=tuple(table_words))


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
        self._columns, self._rows = columns, _rows_of(table, "train", columns)
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
        candidates, z, explained = self._screen(sketches)
        order = np.argsort(-z, kind="stable")
        merged = merge(candidates, order[z[order] > 0], config.confirmed)
        association = associate(candidates.take(merged.places).rows, self._train.label)
        judged = _Judged(model, tables, self._table.take(self._confirming), self._columns)
        core = parse_rule(config.core) if config.core else None
        findings = []
        for number, place in enumerate(merged.places.tolist()):
            self._on_progress("candidates", number, len(merged.places))
            feature, usual = candidates.features[place], int(association.usual[number])
            has = np.zeros(len(self._train), bool)
            has[candidates.having(place)] = True
            confirming = self._confirming
            test = measure_cid(
                sketches[confirming],
                self._train.label[confirming],
                has[confirming],
                self._rng,
                sample=config.sample,
                draws=config.draws,
            )
            errors, deletion = judged.measure(feature, usual, config.changed, self._rng)
            findings.append(
                Finding(
                    feature=feature,
                    aliases=tuple(candidates.features[n].name for n in merged.aliases[number]),
                    count=int(has.sum()),
                    usual=usual,
                    rate=float(association.rate[number]),
                    association=float(association.z[number]),
                    pmi=float(association.pmi[number]),
                    z=float(z[place]),
                    explained=float(explained[place]),
                    test=test,
                    p=1.0,
                    errors=errors,
                    deletion=deletion,
                    is_core=is_named(feature, core),
                    examples=tuple(self._examples(has, usual, TEXTS.index(feature.text))),
                )
            )
        self._on_progress("candidates", len(merged.places), len(merged.places))
        corrected = holm([one.test.p if one.test else math.nan for one in findings])
        findings = [
            dataclasses.replace(one, p=p) for one, p in zip(findings, corrected, strict=True)
        ]
        return Discovery(
            model=folder,
            label_names=model.label_names,
            findings=tuple(self._with_exact(sorted(findings, key=lambda one: one.rank))),
            candidates=len(candidates.features),
            screened=len(self._screened),
            confirming=len(self._confirming),
            judged_on=judged.name,
            judged=len(judged.label),
            accuracy=float(judged.is_right.mean()),
            config=config,
            digest=tables.digest(),
            notes=(*tables.notes, *model.notes),
        )

    def _screen(self, sketches: np.ndarray) -> tuple[Candidates, np.ndarray, np.ndarray]:
        """Return all candidates, pairs of the strongest too, and their z and share explained."""
        config, exclude = self._config, self._config.exclude
        rule = parse_rule(exclude) if exclude else None
        singles = find_candidates(self._rows, config.minimum, rule)
        if not singles.features:
            raise UserError(
                f"{self._table.name}: no feature is in {config.minimum} rows or more and missing "
                "in as many; set minimum lower, or give more rows"
            )
        label = self._train.label[self._screened]
        of_singles = self._scores(sketches, singles, label)
        z, explained = of_singles
        strongest = merge(singles, np.argsort(-z, kind="stable"), config.confirmed).places
        pairs = list(find_pairs(singles.take(strongest), config.minimum))
        if not pairs:
            return singles, z, explained
        of_pairs = gather(((pair.feature, pair.having) for pair in pairs), self._rows.size)
        z_of_pairs, explained_by_pairs = self._scores(sketches, of_pairs, label)
        # What a part explains as well says nothing of the pair.
        parts = np.array([z[strongest[list(pair.parts)]].max() for pair in pairs])
        stronger = np.flatnonzero(z_of_pairs > parts)
        kept = of_pairs.take(stronger)
        every = Candidates(
            [*singles.features, *kept.features], csr_matrix(vstack([singles.rows, kept.rows]))
        )
        z = np.concatenate([z, z_of_pairs[stronger]])
        return every, z, np.concatenate([explained, explained_by_pairs[stronger]])

    def _scores(
        self, sketches: np.ndarray, candidates: Candidates, label: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        rows = candidates.among(self._screened)
        found = screen(sketches[self._screened], label, rows, np.random.default_rng(0))
        # Those that are rare among the rows that screen are left to chance otherwise.
        count = np.diff(rows.indptr)
        is_rare = np.minimum(count, len(self._screened) - count) < self._config.minimum
        return np.where(is_rare, 0.0, found.z), found.explained

    def _with_exact(self, findings: Sequence[Finding]) -> Iterator[Finding]:
        """Measure the CID of the first findings by exact influences, too."""
        most = min(self._config.exact, len(findings))
        for number, one in enumerate(findings):
            if number < most:
                self._on_progress("exact CID", number, most)
                test = measure_exactly(
                    self._model.classifier,
                    self._model.params,
                    self._train,
                    self._confirming,
                    one.feature.holds(self._rows)[self._confirming],
                    self._rng,
                    sample=self._config.exact_sample,
                    draws=self._config.draws,
                    chunk=self._config.chunk,
                )
                one = dataclasses.replace(one, exact=test)
            yield one
        self._on_progress("exact CID", most, most)

    def _examples(self, has: np.ndarray, usual: int, column: int) -> Iterator[tuple[int, str, int]]:
        against = np.flatnonzero(has & (self._train.label != usual))
        rows = against if len(against) else np.flatnonzero(has)
        for row in self._rng.permutation(rows)[:SHOWN].tolist():
            number = int(self._table.rows[row])
            yield number, self._table.texts(row)[column], int(self._train.label[row])


class _Judged:
    """Rows that errors and deletions are counted on: dev and test, or some of train if few.

    Attributes:
      name: What they are.
      label: Their labels, ``(n,)``.
      is_right: Whether they are predicted rightly, ``(n,)``.
    """

    def __init__(self, model: LoadedModel, tables: Tables, some: Table, columns: Columns):
        splits = {name: table for name, table in tables.splits().items() if table.size}
        tested = {name: table for name, table in splits.items() if name != "train"}
        is_enough = sum(table.size for table in tested.values()) >= FEW
        self._model, self._tables = model, tested if is_enough else {"train": some}
        self._rows = {name: _rows_of(table, name, columns) for name, table in self._tables.items()}
        data = [model.encode(table) for table in self._tables.values()]
        self._predicted = [predict_labels(model.classifier, model.params, one) for one in data]
        self.name = " and ".join(tested) if is_enough else "training rows"
        self.label = np.concatenate([one.label for one in data])
        self.is_right = np.concatenate(self._predicted) == self.label

    def measure(
        self, feature: Feature, usual: int, most: int, rng: np.random.Generator
    ) -> tuple[ErrorGap, Deletion | None]:
        """Count errors, and what deleting the feature from ``most`` texts does to predictions."""
        having = [feature.holds(rows) for rows in self._rows.values()]
        errors = measure_errors(self.is_right, self.label, np.concatenate(having), usual)
        if feature.pattern is None:
            return errors, None
        left, parts = most, []
        for table, has, predicted in zip(
            self._tables.values(), having, self._predicted, strict=True
        ):
            rows = np.sort(rng.permutation(np.flatnonzero(has))[:left])
            left -= len(rows)
            parts.append(self._delete(table.take(rows), feature, predicted[rows]))
        before, after = (np.concatenate(values) for values in zip(*parts, strict=True))
        return errors, measure_deletion(before, after, usual)

    def _delete(
        self, table: Table, feature: Feature, predicted: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return predictions of texts before and after a feature is deleted, where it can be."""
        column = TEXTS.index(feature.text)
        texts = [table.texts(row)[column] for row in range(table.size)]
        left = [delete(text, str(feature.pattern)) for text in texts]
        places = np.array([place for place, text in enumerate(left) if text is not None], int)
        if not len(places):
            return predicted[:0], predicted[:0]
        changed = with_texts(table.take(places), column, list(filter(None, left)))
        data = self._model.encode(changed)
        return predicted[places], predict_labels(self._model.classifier, self._model.params, data)


def _rows_of(table: Table, split: str, columns: Columns) -> Rows:
    """Return the texts and further columns of a table's rows."""
    batches = list(table.batches())
    names = TEXTS[: table.columns.num_columns]
    texts = {
        name: [text for batch in batches for text in batch[number]]
        for number, name in enumerate(names)
    }
    here = {  # a split that was taken from train is counted in train's file
        name: (codes.get(split, codes["train"])[table.rows], values)
        for name, (codes, values) in columns.items()
    }
    return Rows(texts, here)


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
