"""The audit of a model in a folder on a table of texts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from itune.audit.audit import Audit
from itune.audit.config import AuditConfig
from itune.audit.flips import Flips
from itune.audit.labels import match_labels, reordered
from itune.audit.sentences import Reading
from itune.audit.verdict import Verdict
from itune.data.dataset import Dataset, tokenize_table
from itune.data.table import Tables
from itune.errors import UserError
from itune.methods.method import Classifier
from itune.models import BertClassifier, load_classifier, load_tokenizer
from itune.training.classifier import make_classifier


class ModelAudit(NamedTuple):
    """An audit of a model, with all that a report tells of it.

    Attributes:
      model: its folder.
      label_names: what labels are called, by number.
      confound_names: what confounds are called, by number.
      sizes: rows by the name of each split that has any.
      audit: the measures.
      readings: some training rows, and those that helped and hurt them.
      flips: the counterfactual test; None where the confound is not a rule over words.
      verdict: what it comes to.
      config: how thorough it was.
      digest: SHA-256 of the data.
      searched: training rows among which the readings looked.
      rule_on: the place of the text that the spans of readings, and flips, are of.
      notes: what else to know, a sentence each.
    """

    model: str
    label_names: tuple[str, ...]
    confound_names: tuple[str, ...]
    sizes: dict[str, int]
    audit: Audit
    readings: tuple[Reading, ...]
    flips: Flips | None
    verdict: Verdict
    config: AuditConfig
    digest: str
    searched: int = 0
    rule_on: int = 0
    notes: tuple[str, ...] = ()


class LoadedModel(NamedTuple):
    """A model and the data of a table as it takes them.

    Attributes:
      classifier: the model; its classes are numbered as the table's labels.
      params: its parameters.
      encode: a table to word pieces; the same limits for all.
      notes: what was assumed, a sentence each.
    """

    classifier: Classifier
    params: Any
    encode: Callable[..., Dataset]
    notes: tuple[str, ...]


def load_model(folder: str | Path, tables: Tables, max_length: int | None = None) -> LoadedModel:
    """Loads a Hugging Face BERT classifier for the labels of a table.

    Args:
      folder: as ``BertForSequenceClassification.save_pretrained`` writes it, with the tokenizer.
      tables: its labels must be the model's classes.
      max_length: word pieces of an input; None for the limits of the tokenizer and the model.

    Raises:
      UserError: it is no such folder, or its classes are not the table's labels.
    """
    folder = Path(folder).expanduser()
    trained = load_classifier(folder)
    classes, note = match_labels(trained.labels, tables.label_names)
    tokenizer = load_tokenizer(folder)
    if tables.train.is_pair and trained.config.type_vocab_size < 2:
        raise UserError(f"{folder} does not tell two texts apart; leave out text_pair")
    limit = min(tokenizer.model_max_length, trained.config.max_positions)

    def encode(table, progress=lambda done: None):
        return tokenize_table(
            table,
            tokenizer,
            max_length=max_length or limit,
            max_positions=trained.config.max_positions,
            vocab_size=trained.config.vocab_size,
            progress=progress,
        )

    return LoadedModel(
        classifier=make_classifier(BertClassifier(trained.config)),
        params=reordered(trained.params, classes),
        encode=encode,
        notes=() if note is None else (note,),
    )
