"""Tuning a classifier on a table of one's own."""

from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from itune.config import replaced
from itune.data.dataset import tokenize_table
from itune.errors import UserError, as_folder
from itune.groups import HIDDEN, count_groups
from itune.methods.registry import METHODS
from itune.models import load_config, load_tokenizer, resolve_encoder
from itune.results import RunResult, read_result
from itune.tables.table import Table, Tables, require_trainable
from itune.training.run import run_on
from itune.training.run_folder import RunOptions
from itune.training.settings import TrainingConfig
from itune.tuning.schedule import schedule

LOOKED_AT = 1000
"""Rows whose length is looked at."""

SEED = "an integer from 0 to 2**32 - 1"
"""What a seed is, in words."""

LONGEST = 256
"""Tokens that inputs are cut to at least."""


def tune_on(
    tables: Tables,
    folder: str | Path,
    *,
    method: str = "influence_tuning",
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    options: RunOptions | None = None,
) -> RunResult:
    """Train a classifier on a table with settings that are scaled to it, and test it.

    Args:
      tables: What to train on, to select by, and to judge by.
      folder: Folder of the run; made if absent.
      method: Key of :data:`~itune.methods.METHODS`, but not ``no_spurious``.
      seed: Seed of everything random; an integer from 0 to 2**32 - 1.
      settings: Fields of :class:`~itune.training.settings.TrainingConfig` by dotted name, such as
        ``label.epochs``; the others are scaled to the data by :func:`scaled_settings`.
      options: What to do with what is in the folder.

    Raises:
      UserError: Bad input of any kind, or the folder holds something else.
    """
    require_tunable(method)
    if not is_seed(seed):
        raise UserError(f"seed is {seed!r}; make it {SEED}")
    config = scaled_settings(tables, settings or {})
    run = run_on(tables, config, method, int(seed), as_folder(folder, "out"), options)
    return read_result(run.folder)


def require_tunable(method: str) -> None:
    """Checks that a method can be trained on a table.

    Raises:
      UserError: there is no such method, or it needs what tables have not.
    """
    others = ", ".join(name for name, spec in METHODS.items() if not spec.uses_control)
    if not isinstance(method, str) or method not in METHODS:
        raise UserError(f"method is {method!r}; use one of {others}")
    if METHODS[method].uses_control:
        raise UserError(
            f"method {method} trains on data without the confound, of which a table knows nothing; "
            f"use one of {others}"
        )


def is_seed(value: Any) -> bool:
    """Whether a run can have that seed."""
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    return is_integer and 0 <= int(value) < 2**32


def scaled_settings(tables: Tables, settings: Mapping[str, Any]) -> TrainingConfig:
    """Settings for a table: what is given, and the rest by :func:`~itune.tuning.schedule.schedule`.

    Inputs are cut to what 95 of 100 training rows fit into, 256 tokens at most.

    Args:
      tables: rows to train on.
      settings: by dotted name.

    Raises:
      UserError: no such setting or encoder, or the table cannot be trained on.
    """
    require_trainable(tables)
    given = replaced(TrainingConfig(), settings)
    source = resolve_encoder(given.encoder)
    bert = load_config(source)
    train = tables.train
    counts = count_groups(train.label, train.confound)
    is_set = settings.__contains__
    length = given.max_length
    if not is_set("max_length"):
        length = typical_length(train, load_tokenizer(source), min(LONGEST, bert.max_positions))
    scaled = schedule(
        train.size,
        groups=int(np.sum(counts.confound != HIDDEN)),
        width=bert.hidden_size,
        length=length,
        batch=given.label.batch if is_set("label.batch") else None,
        epochs=given.label.epochs if is_set("label.epochs") else None,
    )
    return replaced(scaled, settings)


def typical_length(train: Table, tokenizer: Any, limit: int) -> int:
    """Tokens that 95 of 100 rows have at most, rounded up to a multiple of 8.

    Args:
      train: of which up to :data:`LOOKED_AT` rows, evenly spread, are looked at.
      tokenizer: of the encoder.
      limit: the most.
    """
    rows = np.unique(np.linspace(0, train.size - 1, LOOKED_AT).round().astype(int))
    lengths = tokenize_table(
        train.take(rows), tokenizer, max_length=limit, max_positions=limit
    ).lengths
    return min(8 * int(np.ceil(np.quantile(lengths, 0.95) / 8)), limit)
