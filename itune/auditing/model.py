"""The audit of a model in a folder on a table of texts."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from itune.auditing.audit import Audit, audit
from itune.auditing.config import AuditConfig
from itune.auditing.counterfactual import CounterfactualTest, run_counterfactual_test
from itune.auditing.explanations import Explanation, choose_probes, explain
from itune.auditing.plan import EXPLANATIONS
from itune.auditing.verdict import Verdict, give_verdict
from itune.config import to_dict
from itune.data.dataset import Dataset, tokenize_table
from itune.errors import UserError
from itune.groups import HIDDEN, GroupNames
from itune.methods.base import Classifier
from itune.models import load_classifier, load_tokenizer, model_folder
from itune.models.labels import match_labels, reordered
from itune.tables.table import Table, Tables, confound_problem
from itune.training.classifier import make_classifier
from itune.utils.files import digest_of
from itune.utils.notebook import html_of
from itune.utils.progress import OnProgress, no_progress
from itune.utils.resumable import Resumable


class ModelAudit(NamedTuple):
    """An audit of a model, with all that a report tells of it.

    Attributes:
      model: its folder.
      label_names: what labels are called, by number.
      confound_names: what confounds are called, by number.
      sizes: rows by the name of each split that has any.
      audit: the measures.
      explanations: some training rows, and those that helped and hurt them.
      counterfactual: the counterfactual test; None where the confound is not a rule over words.
      verdict: what it comes to.
      config: how thorough it was.
      digest: SHA-256 of the data.
      rows_of: for each split what the rows of explanations and counterfactual are counted in.
      searched: training rows among which the explanations looked.
      rule_on: the place of the text that the spans of explanations, and counterfactual, are of.
      notes: what else to know, a sentence each.
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

    def numbered(self, row: int, split: str = "train") -> str:
        """What a row is called: its number from 1 on, and in what."""
        return f"row {row + 1} of {self.rows_of[split]}"

    def to_rows(self) -> list[dict[str, Any]]:
        """Accuracy of every group, with its interval; ``pandas.DataFrame`` takes the rows."""
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


class LoadedModel(NamedTuple):
    """A model and the data of a table as it takes them.

    Attributes:
      classifier: the model; its classes are numbered as the table's labels.
      params: its parameters.
      encode: a table to tokens; the same limits for all.
      notes: what was assumed, a sentence each.
    """

    classifier: Classifier
    params: Any
    encode: Callable[..., Dataset]
    notes: tuple[str, ...]


def load_model(folder: str | Path, tables: Tables, max_length: int | None = None) -> LoadedModel:
    """Loads a Hugging Face BERT classifier for the labels of a table.

    Args:
      folder: as ``BertForSequenceClassification.save_pretrained`` writes it, with the tokenizer;
        or of a run, which has such a folder.
      tables: its labels must be the model's classes.
      max_length: tokens of an input; None for the limits of the tokenizer and the model.

    Raises:
      UserError: it is no such folder, or its classes are not the table's labels.
    """
    folder = model_folder(folder)
    trained = load_classifier(folder)
    classes, note = match_labels(trained.labels, tables.label_names)
    tokenizer = load_tokenizer(folder)
    if tables.train.is_pair and trained.config.type_vocab_size < 2:
        raise UserError(f"{folder} does not tell two texts apart; leave out text_pair")
    limit = min(tokenizer.model_max_length, trained.config.max_positions)

    def encode(table, on_batch=None):
        return tokenize_table(
            table,
            tokenizer,
            max_length=max_length or limit,
            max_positions=trained.config.max_positions,
            vocab_size=trained.config.vocab_size,
            on_batch=on_batch,
        )

    return LoadedModel(
        classifier=make_classifier(trained.config),
        params=reordered(trained.params, classes),
        encode=encode,
        notes=() if note is None else (note,),
    )


def audit_model(
    folder: str | Path,
    tables: Tables,
    config: AuditConfig | None = None,
    on_progress: OnProgress = no_progress,
    *,
    say: Callable[[str], None] = lambda sentence: None,
    keep: Path | None = None,
) -> ModelAudit:
    """Audits a model on the table that it was trained on.

    Args:
      folder: a Hugging Face BERT classifier, by whomever it was trained.
      tables: the training data, and data to look at the behaviour on, if there are any.
      config: the defaults if None.
      on_progress: progress.
      say: told what will be done, and what was assumed.
      keep: a folder of its own for what is done, so that an audit that is cut off goes on when it
        is called again; deleted at the end. None keeps nothing.

    Raises:
      UserError: the folder holds no such model, its classes are not the table's labels, there is
        nothing to compare, or ``keep`` holds something else.
    """
    config = AuditConfig() if config is None else config
    model = load_model(folder, tables, config.max_length)
    _require_confounds(tables)
    rng = np.random.default_rng([config.seed, 1])
    probes = choose_probes(tables.train, config, rng)
    for note in model.notes:
        say(note)
    sizes = {name: table.size for name, table in tables.splits().items() if table.size}
    data = _encoded(model, {name: tables.splits()[name] for name in sizes}, on_progress)
    train = data.pop("train")
    on_model = model.classifier, model.params
    digest = tables.digest()
    about = {"params": digest_of(model.params), "data": digest, "config": to_dict(config)}
    with jax.default_matmul_precision("highest"), Resumable(keep, about) as resumable:
        found = audit(
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
        label_names=tables.label_names,
        confound_names=tables.confound_names,
        sizes=sizes,
        audit=found,
        explanations=explanations,
        counterfactual=counterfactual,
        verdict=give_verdict(
            found, counterfactual, GroupNames(tables.label_names, tables.confound_names)
        ),
        config=config,
        digest=digest,
        searched=len(rows),
        rule_on=tables.rule_on,
        notes=model.notes,
        rows_of=tables.rows_of(),
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
    """Checks what can be before anything is computed."""
    train = tables.train
    if problem := confound_problem(tables):
        raise UserError(f"{train.name}: {problem}")
    for split in ("dev", "test"):
        for new in np.setdiff1d(tables.splits()[split].label, train.label):
            raise UserError(
                f"{train.name}: label {tables.label_names[new]!r} occurs in {split} but never in "
                "train; remove those rows or add some to train"
            )
