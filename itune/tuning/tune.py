"""Tune a classifier on a table, with settings scaled to it."""

from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from itune.config.mappings import replaced
from itune.data.dataset import tokenize_table
from itune.errors import UserError, as_folder
from itune.groups import HIDDEN, count_groups
from itune.methods.registry import METHODS
from itune.methods.rounds import DRAWN, OWN
from itune.models import load_config, load_tokenizer, resolve_encoder
from itune.models.registry import architecture_of
from itune.results import RunResult, read_result
from itune.tables.table import Table, Tables, require_trainable
from itune.training.best_checkpoint import LAST
from itune.training.run import run_on
from itune.training.run_folder import RunOptions
from itune.training.settings import TrainingConfig
from itune.tuning.schedule import schedule
from itune.utils.suggestions import require_known

LOOKED_AT = 1000
"""Largest number of rows whose length is computed."""

SEED = "an integer from 0 to 2**32 - 1"
"""Description of a valid seed, for messages."""

LONGEST = 256
"""Largest number of tokens that inputs are truncated to by default."""


def tune_on(
    tables: Tables,
    folder: str | Path,
    method: str = "influence_tuning",
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    options: RunOptions | None = None,
) -> RunResult:
    """Train a classifier on a table, and test it; settings not given are scaled to the data."""
    require_tunable(method)
    if not is_seed(seed):
        raise UserError(f"seed must be {SEED}, got {seed!r}")
    config = scaled_settings(tables, settings or {})
    run = run_on(tables, config, method, int(seed), as_folder(folder, "out"), options)
    return read_result(run.folder)


def require_tunable(method: str) -> None:
    """Raise a UserError if there is no such method, or it needs data without the confound."""
    names = [name for name, spec in METHODS.items() if not spec.uses_control]
    others = ", ".join(names)
    if isinstance(method, str) and method in METHODS and METHODS[method].uses_control:
        raise UserError(
            f"method {method} trains on data without the confound, of which a table knows nothing; "
            f"use one of {others}"
        )
    require_known("method", method, names)


def is_seed(value: Any) -> bool:
    """Return whether a value is a valid seed, an integer from 0 to 2**32 - 1."""
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    return is_integer and 0 <= int(value) < 2**32


def scaled_settings(tables: Tables, settings: Mapping[str, Any]) -> TrainingConfig:
    """Return settings for a table: those that are given, and the others scaled to the table.

    The others are the result of :func:`~itune.tuning.schedule.schedule`. Inputs are truncated to a
    length that 95 of 100 training rows do not exceed, at most 256 tokens.

    Args:
      tables: Tables whose training rows the settings are scaled to.
      settings: Values of fields of :class:`~itune.training.TrainingConfig`, by dotted name.

    Raises:
      UserError: A setting or the encoder does not exist, or the table cannot be trained on.
    """
    require_trainable(tables)
    given = replaced(TrainingConfig(), settings)
    source = resolve_encoder(given.encoder)
    encoder = load_config(source)
    train = tables.train
    counts = count_groups(train.label, train.confound)
    is_set = settings.__contains__
    length = given.max_length
    if not is_set("max_length"):
        length = typical_length(train, load_tokenizer(source), min(LONGEST, encoder.max_positions))
    scaled = schedule(
        train.size,
        groups=int(np.sum(counts.confound != HIDDEN)),
        width=encoder.hidden_size,
        layers=encoder.num_layers,
        vocabulary=encoder.vocab_size,
        label_rate=architecture_of(encoder).label_rate,
        length=length,
        batch=given.label.batch if is_set("label.batch") else None,
        epochs=given.label.epochs if is_set("label.epochs") else None,
        dev=None if given.selection == LAST and is_set("selection") else tables.dev.size,
    )
    if given.influence.partners == DRAWN and is_set("influence.partners"):
        settings = {"influence.labels": OWN, **settings}
    return replaced(scaled, settings)


def typical_length(train: Table, tokenizer: Any, limit: int) -> int:
    """Return the tokens that 95 of 100 rows do not exceed, in eights; the limit if that is less."""
    rows = np.unique(np.linspace(0, train.size - 1, LOOKED_AT).round().astype(int))
    lengths = tokenize_table(
        train.take(rows), tokenizer, max_length=limit, max_positions=limit
    ).lengths
    return min(8 * int(np.ceil(np.quantile(lengths, 0.95) / 8)), limit)
