"""What a run does before its first step: data, encoder, method and plan; nothing is written."""

import contextlib
import re
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from itune.data.access import hide_confounds
from itune.data.dataset import Dataset, tokenize_table, tokenize_tables
from itune.data.padding import Padding, choose_lengths, every_other, padded_length
from itune.data.twins import add_twins
from itune.errors import UserError
from itune.methods import Method, Work
from itune.methods.base import Step
from itune.methods.plans import (
    evaluated_after_rounds,
    evaluated_at_start,
    evaluated_every,
    last_evaluation_only,
    looked_into,
)
from itune.methods.registry import METHODS
from itune.models import ModelConfig, Params, load_tokenizer, resolve_encoder
from itune.models.saving import require_savable
from itune.tables.table import Table, Tables, require_trainable
from itune.tables.twins import make_twins
from itune.training.best_checkpoint import LAST
from itune.training.classifier import make_classifier
from itune.training.diagnostics import make_diagnostics
from itune.training.initialization import load_initial_model
from itune.training.loop import Evaluator
from itune.training.measures import (
    Accuracies,
    make_accuracies,
    make_measures,
    make_swap_count,
)
from itune.training.settings import AT_END, TrainingConfig
from itune.utils.compiling import memoized
from itune.utils.files import digest_of


class Prepared(NamedTuple):
    """A run before its first step.

    Attributes:
      source: Folder of the encoder.
      bert: Architecture of the classifier.
      params: Initial parameters.
      data: Tokens of each split.
      seen: Training data as the method may see them.
      accuracies: Computes accuracies of parameters on a data set.
      count_swaps: Counts predictions that follow a swapped confound, of parameters; None where no
        confound can be swapped.
      measures: Evaluators, by kinds of work in the plan.
      method: The method; runs of one setting have the same dict of step functions.
      plan: The method's plan.
    """

    source: Path
    bert: ModelConfig
    params: Params
    data: dict[str, Dataset]
    seen: Dataset
    accuracies: Accuracies
    count_swaps: Callable[[Params], dict[str, Any] | None]
    measures: dict[str, Evaluator]
    method: Method
    plan: list[Work]


@contextlib.contextmanager
def _groups_by_name(tables: Tables) -> Iterator[None]:
    """Let errors raised in its context call a group ``good/Acme``, not ``y=1 c=0``."""

    def named(group: re.Match[str]) -> str:
        label, confound = map(int, group.groups())
        return f"{tables.label_names[label]}/{tables.confound_names[confound]}"

    try:
        yield
    except UserError as error:
        raise UserError(re.sub(r"\by=(\d+) c=(\d+)\b", named, str(error))) from error.__cause__


def prepare(tables: Tables, config: TrainingConfig, method_name: str, seed: int) -> Prepared:
    """Do all that a run does before its first step, without writing anything.

    Args:
      tables: The table to train and test on.
      config: Settings of training.
      method_name: Key of :data:`~itune.methods.registry.METHODS`.
      seed: Seed of the run; an integer from 0 to 2**32 - 1.

    Returns:
      All that the run needs.

    Raises:
      UserError: The run would be refused.
    """
    require_trainable(tables)
    source = resolve_encoder(config.encoder)
    bert, params, is_finetuned = load_initial_model(
        source, tables.label_names, config.head, jax.random.key(seed)
    )
    spec = METHODS[method_name]
    data = _tokenized(tables, source, bert, config)
    with _groups_by_name(tables):
        rng = np.random.default_rng([seed, 3])
        seen = hide_confounds(data["train"], config.access, rng)
    if spec.uses_twins:
        seen = _with_twins(seen, tables, source, bert, config, method_name, seed)
    of_training, of_evaluations = _paddings({**data, "train": seen}, bert, config)
    data = {split: of.padded_to(of_evaluations) for split, of in data.items()}
    classifier = make_classifier(bert)
    accuracies = make_accuracies(classifier)

    def encode(rows: Table) -> Dataset:
        return _tokens_of(rows, source, bert, config).padded_to(of_evaluations)

    count_swaps = make_swap_count(classifier, tables, encode)
    # A run on a task has never been measured at its start, and older ones can be resumed.
    at_start = is_finetuned and tables.recipe_digest is None
    with _groups_by_name(tables):
        measures = make_measures(config, classifier, data, accuracies)
        if config.diagnostics:
            measures["diagnostics"] = make_diagnostics(classifier, data, accuracies)
        seen = seen.padded_to(of_training)
        method = spec.make(config, classifier, seen, seed)
        method = _measured(method, config, at_start=at_start)
        plan = method.plan()  # refuses data that it cannot use
    seen_in_steps = "" if spec.has_fixed_steps else digest_of(seen.confound)
    steps = _steps(method_name, config, bert, tables.digest(), seen_in_steps)
    steps.update({} if steps else method.steps)
    method = method._replace(steps=steps)
    return Prepared(
        source, bert, params, data, seen, accuracies, count_swaps, measures, method, plan
    )


@memoized
def _steps(*setting: Any) -> dict[str, Step]:
    """Return the dict that holds a setting's step functions, which runs of all seeds share."""
    return {}


_TOKENS: weakref.WeakKeyDictionary[Tables, tuple[Any, dict[str, Dataset]]] = (
    weakref.WeakKeyDictionary()
)
"""The tokens of each table, for other runs on it, and what they depend on beside it."""


def _tokenized(
    tables: Tables, source: Path, bert: ModelConfig, config: TrainingConfig
) -> dict[str, Dataset]:
    limits = _limits(bert, config)
    setting, data = _TOKENS.get(tables, (None, {}))
    if setting != (source, limits):
        tokenizer = load_tokenizer(source)
        if tables.train.is_pair and not bert.takes_pairs:
            raise UserError(f"{source} does not tell two texts apart; leave out text_pair")
        require_savable(source, tokenizer)  # rather than refuse it after training
        data = tokenize_tables(tables, tokenizer, **limits)
        _TOKENS[tables] = (source, limits), data
    return data


def _limits(bert: ModelConfig, config: TrainingConfig) -> dict[str, Any]:
    return {
        "max_length": config.max_length,
        "max_positions": bert.max_positions,
        "vocab_size": bert.vocab_size,
    }


def _with_twins(
    seen: Dataset,
    tables: Tables,
    source: Path,
    bert: ModelConfig,
    config: TrainingConfig,
    method_name: str,
    seed: int,
) -> Dataset:
    """Return the training data and, at the end, counterfactual twins of its visible examples."""
    rng = np.random.default_rng([seed, 4])
    twins, rows = make_twins(tables, seen.visible, rng, method_name)
    return add_twins(seen, _tokens_of(twins, source, bert, config), rows)


def _tokens_of(table: Table, source: Path, bert: ModelConfig, config: TrainingConfig) -> Dataset:
    return tokenize_table(table, load_tokenizer(source), **_limits(bert, config))


def _paddings(
    data: Mapping[str, Dataset], bert: ModelConfig, config: TrainingConfig
) -> tuple[Padding, Padding]:
    """Return what is padded to in training, and in evaluations, which are seldom."""
    multiple = config.pad_to_multiple_of
    longest = max(padded_length(of.lengths, multiple or 1) for of in data.values())
    if multiple is None:
        lengths = choose_lengths(
            data["train"].lengths,
            longest,
            batch=config.label.batch,
            chunk=config.label.chunk,
            epochs=config.label.epochs,
            width=bert.hidden_size,
        )
        return lengths, every_other(lengths)
    if longest > bert.max_positions:
        raise UserError(
            f"pad_to_multiple_of is {multiple}, so inputs are padded up to {longest} tokens, "
            f"but the encoder has {bert.max_positions} positions; set it to a divisor of that, or "
            "max_length lower"
        )
    return multiple, multiple


def _measured(method: Method, config: TrainingConfig, *, at_start: bool) -> Method:
    """Return the method with evaluations in its plan where the configuration wants them."""

    def plan() -> list[Work]:
        work = method.plan()
        if config.selection != LAST:
            work = evaluated_after_rounds(work)
        if config.accuracy_every is not None:
            work = evaluated_every(work, config.accuracy_every)
        if at_start:
            work = evaluated_at_start(work)
        for kind, when in (("cid", config.cid_when), ("accuracy", config.accuracy_when)):
            work = last_evaluation_only(work, kind) if when == AT_END else work
        return looked_into(work) if config.diagnostics else work

    return method._replace(plan=plan)
