"""A trained model out of a folder, for the labels and with the tokens of a table."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from itune.data.dataset import Dataset, tokenize_table
from itune.errors import UserError
from itune.methods.base import Classifier
from itune.models import Params, load_classifier, load_tokenizer, model_folder
from itune.models.labels import absent_note, match_labels, reordered
from itune.tables.table import Table, Tables
from itune.training.classifier import make_classifier


@dataclass(frozen=True)
class LoadedModel:
    """A trained model, and the function that tokenises a table for it.

    Attributes:
      classifier: The model; its classes are numbered as the table's labels are.
      params: Parameters of the model.
      encode: Function of ``(table, on_batch)`` that tokenises one split; see
        :func:`~itune.data.dataset.tokenize_table`.
      is_truncated: Function of a table that tells which of its rows ``encode`` truncates, ``(N,)``.
      label_names: Names of the classes by number: the table's labels, then those that no row has.
      notes: What was assumed, one sentence each.
    """

    classifier: Classifier
    params: Params
    encode: Callable[..., Dataset]
    is_truncated: Callable[[Table], np.ndarray]
    label_names: tuple[str, ...]
    notes: tuple[str, ...]


def load_model(folder: str | Path, tables: Tables, max_length: int | None = None) -> LoadedModel:
    """Load a Hugging Face classifier for the labels of a table.

    Args:
      folder: Folder that ``save_pretrained`` of a sequence classifier has written, with the
        tokenizer; or folder of a run, which has such a folder.
      tables: The table; its labels must be the model's classes.
      max_length: Number of tokens to which inputs are truncated; None for the limits of the
        tokenizer and the model.

    Raises:
      UserError: The folder holds no such model, or its classes are not the table's labels.
    """
    folder = model_folder(folder)
    trained = load_classifier(folder)
    classes, note = match_labels(trained.labels, tables.label_names)
    others = np.setdiff1d(np.arange(len(trained.labels)), classes)
    absent = tuple(trained.labels[number] for number in others)
    notes = [note, absent_note(absent, len(trained.labels)) if absent else None]
    tokenizer = load_tokenizer(folder)
    if tables.train.is_pair and not trained.config.takes_pairs:
        raise UserError(f"{folder} does not tell two texts apart; leave out text_pair")
    limit = min(tokenizer.model_max_length, trained.config.max_positions)

    def encode(table: Table, on_batch: Callable[[int], None] | None = None) -> Dataset:
        return tokenize_table(
            table,
            tokenizer,
            max_length=max_length or limit,
            max_positions=trained.config.max_positions,
            vocab_size=trained.config.vocab_size,
            on_batch=on_batch,
        )

    def is_truncated(table: Table) -> np.ndarray:
        more = {"truncation": True, "max_length": (max_length or limit) + 1}
        ids = (row for batch in table.batches() for row in tokenizer(*batch, **more)["input_ids"])
        return np.fromiter((len(row) == more["max_length"] for row in ids), bool, table.size)

    return LoadedModel(
        classifier=make_classifier(trained.config),
        params=reordered(trained.params, np.append(classes, others)),
        encode=encode,
        is_truncated=is_truncated,
        label_names=(*tables.label_names, *absent),
        notes=tuple(filter(None, notes)),
    )
