"""The audit of a model in a folder on a table of texts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

from itune.auditing.classifier import Audit, audit_classifier
from itune.auditing.config import AuditConfig
from itune.auditing.counterfactual import CounterfactualTest, run_counterfactual_test
from itune.auditing.explanations import Explanation, choose_probes, explain
from itune.auditing.plan import EXPLANATIONS
from itune.auditing.truncation import Truncation, measure_truncation
from itune.auditing.verdict import Verdict, give_verdict
from itune.config import to_dict
from itune.data.dataset import Dataset
from itune.errors import UserError
from itune.groups import HIDDEN, GroupNames
from itune.tables.table import Table, Tables, confound_problem
from itune.training.record import find_record
from itune.training.trained_model import LoadedModel, load_model
from itune.utils.files import digest_of
from itune.utils.notebook import html_of
from itune.utils.progress import OnProgress, no_progress
from itune.utils.resumable import Resumable


@dataclass(frozen=True, eq=False)
class ModelAudit:
    """An audit of a model, with everything that its report shows.

    Attributes:
      model: Folder of the model.
      label_names: Names of the labels, by number.
      confound_names: Names of the confounds, by number.
      sizes: Number of rows of each split that is not empty, by the name of the split.
      audit: Measures of the model on its data.
      explanations: Some training rows, each with the rows that helped and harmed its prediction.
      counterfactual: Counterfactual test; None if the confound is not given by a rule over words,
        or no text can be given another confound.
      verdict: Conclusion of the audit.
      config: Settings of the audit.
      digest: SHA-256 of the data, in hexadecimal.
      rows_of: Name of the split or table in which the rows of explanations and counterfactual test
        are counted, by split.
      searched: Number of training rows that were searched for explanations.
      rule_on: Index of the text column that the rule looks at.
      notes: Further remarks, one sentence each.
      truncation: What the model does not read of the rows of each split, by the name of the split.
    """

    model: str
    label_names: tuple[str, ...]
    confound_names: tuple[str, ...]
    sizes: dict[str, int]
    audit: Audit
    explanations: tuple[Explanation, ...]
    counterfactual: CounterfactualTest | None
    verdict: Verdict
    config: AuditConfig
    digest: str
    rows_of: dict[str, str]
    searched: int = 0
    rule_on: int = 0
    notes: tuple[str, ...] = ()
    truncation: dict[str, Truncation] = field(default_factory=dict)

    def numbered(self, row: int, split: str = "train") -> str:
        """Return the name of a row for a reader: its number, from 1, and what it is counted in."""
        return f"row {row + 1} of {self.rows_of[split]}"

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the accuracy of every group and its interval, as ``pandas.DataFrame`` takes it."""
        names = {HIDDEN: None, **dict(enumerate(self.confound_names))}
        return [
            {
                "split": split,
                "label": self.label_names[group.label],
                "confound": names[group.confound],
                "accuracy": accuracy,
                "low": found.intervals[group][0],
                "high": found.intervals[group][1],
                "size": found.sizes[group],
            }
            for split, found in self.audit.behaviour.items()
            for group, accuracy in found.accuracy.by_group.items()
        ]

    def _repr_html_(self) -> str:
        return html_of(self)


OTHER_ROWS = "these are not the rows, confounds and split that the model was trained on"
"""A note on an audit whose table is not that of the model's run."""


def audit_model(
    folder: str | Path,
    tables: Tables,
    config: AuditConfig | None = None,
    on_progress: OnProgress = no_progress,
    *,
    say: Callable[[str], None] = lambda sentence: None,
    keep: Path | None = None,
) -> ModelAudit:
    """Audit a model in a folder, of a run or of others, on the table that it was trained on.

    ``say`` is called with sentences on what will be done and what was assumed. ``keep`` is a folder
    for intermediate results alone, from which an interrupted audit goes on, and which the end
    deletes. If the folder is that of a run on other data, a note says so; inputs are truncated as
    they were in that run, unless the configuration sets ``max_length``.

    Raises:
      UserError: The folder holds no such model, its classes are not the table's labels, there is
        nothing to compare, or ``keep`` holds something else.
    """
    config = AuditConfig() if config is None else config
    record = find_record(folder)
    trained_length = None if record is None else record.config.max_length
    model = load_model(folder, tables, config.max_length or trained_length)
    _require_confounds(tables)
    rng = np.random.default_rng([config.seed, 1])
    probes = choose_probes(tables.train, config, rng)
    for note in (*tables.notes, *model.notes):
        say(note)
    sizes = {name: table.size for name, table in tables.splits().items() if table.size}
    data = _encoded(model, {name: tables.splits()[name] for name in sizes}, on_progress)
    truncation = {
        name: measure_truncation(model, tables, tables.splits()[name], encoded)
        for name, encoded in data.items()
    }
    train = data.pop("train")
    on_model = model.classifier, model.params
    digest = tables.digest()
    about = {"params": digest_of(model.params), "data": digest, "config": to_dict(config)}
    with jax.default_matmul_precision("highest"), Resumable(keep, about) as resumable:
        found = audit_classifier(
            *on_model, train, data, config, on_progress=on_progress, say=say, resumable=resumable
        )
        counterfactual = run_counterfactual_test(
            *on_model, model.encode, tables, config, rng, on_progress=partial(on_progress, "swaps")
        )
        rows = np.arange(len(train))
        if EXPLANATIONS not in found.plan.whole and len(train) > config.drawn:
            rows = np.sort(rng.choice(rows, config.drawn, replace=False))
        explanations = explain(
            *on_model,
            train,
            tables,
            probes,
            rows,
            config,
            on_progress=partial(on_progress, EXPLANATIONS),
            resumable=resumable,
        )
        resumable.forget()
    return ModelAudit(
        model=str(folder),
        label_names=model.label_names,
        confound_names=tables.confound_names,
        sizes=sizes,
        audit=found,
        explanations=explanations,
        counterfactual=counterfactual,
        verdict=give_verdict(
            found,
            counterfactual,
            GroupNames(model.label_names, tables.confound_names),
            truncation["train"],
        ),
        config=config,
        digest=digest,
        searched=len(rows),
        rule_on=tables.rule_on,
        notes=(
            *tables.notes,
            *model.notes,
            *(OTHER_ROWS,) * (record is not None and record.digest != digest),
        ),
        rows_of=tables.rows_of(),
        truncation=truncation,
    )


def _encoded(
    model: LoadedModel, tables: dict[str, Table], on_progress: OnProgress
) -> dict[str, Dataset]:
    """Tokens of every split."""
    done, total = 0, sum(table.size for table in tables.values())

    def on_batch(rows: int) -> None:
        nonlocal done
        done += rows
        on_progress("words", done, total)

    return {name: model.encode(table, on_batch) for name, table in tables.items()}


def _require_confounds(tables: Tables) -> None:
    """Check what can be checked before anything is computed."""
    train = tables.train
    if problem := confound_problem(tables):
        raise UserError(f"{train.name}: {problem}")
    for split in ("dev", "test"):
        for new in np.setdiff1d(tables.splits()[split].label, train.label):
            raise UserError(
                f"{train.name}: label {tables.label_names[new]!r} occurs in {split} but never in "
                "train; remove those rows or add some to train"
            )
