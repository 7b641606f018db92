"""What a run measures of its parameters: accuracies, influence differences, swapped confounds."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from itune.data.dataset import Dataset, differing
from itune.errors import UserError
from itune.methods import Classifier
from itune.metrics import accuracy, make_cid, make_logits
from itune.tables.swapped import swap_texts
from itune.tables.table import Table, Tables
from itune.training.loop import Evaluator
from itune.training.settings import TrainingConfig
from itune.utils.compiling import memoized

Accuracies = Callable[[Any, Dataset], dict[str, Any]]
"""``(params, dataset)`` to accuracies overall and by group, JSON-ready."""


SWAPS = 1000
"""Largest number of texts whose confound is swapped."""


@memoized
def _make_logits(classifier: Classifier) -> Callable[[Any, Dataset], np.ndarray]:
    return make_logits(lambda params, z: classifier.outputs(params, z, None).logits)


@memoized
def make_accuracies(classifier: Classifier) -> Accuracies:
    """Build the function that computes accuracies from parameters and a data set."""
    predict = _make_logits(classifier)
    return lambda params, dataset: accuracy(predict(params, dataset), dataset).to_dict()


def make_swap_count(
    classifier: Classifier, tables: Tables, encode: Callable[[Table], Dataset]
) -> Callable[[Any], dict[str, Any] | None]:
    """Build the function that counts, for parameters, predictions that follow a swapped confound.

    It returns the name of the split, the number of texts in which the swap changed what is read,
    and the number of these whose prediction changed; or None where no confound can be swapped.
    Texts and swaps are the same for every run on a table. ``encode`` tokenises rows.
    """
    predict = _make_logits(classifier)

    def count(params: Any) -> dict[str, Any] | None:
        texts = swap_texts(tables, SWAPS, np.random.default_rng(0))
        if texts is None or not texts.texts:
            return None
        sides = [encode(side) for side in (texts.before, texts.after)]
        read = differing(*sides)
        if not len(read):
            return None
        before, after = (predict(params, side.subset(read)).argmax(axis=1) for side in sides)
        changed = int(np.sum(before != after))
        return {"split": texts.split, "size": len(read), "changed": changed}

    return count


def make_measures(
    config: TrainingConfig,
    classifier: Classifier,
    data: Mapping[str, Dataset],
    accuracies: Accuracies,
) -> dict[str, Evaluator]:
    """Build the evaluators of the training loop: ``cid`` on train, and ``accuracy`` on dev."""
    train = cid_examples(config, data["train"])
    probes = np.arange(min(config.cid_probes, len(train)))
    cid = make_cid(classifier.loss, train, probes=probes)
    return {
        "cid": Evaluator(lambda params: cid(params).summary(), cost=1.3 * len(train)),
        "accuracy": Evaluator(
            lambda params: {f"dev_{k}": v for k, v in accuracies(params, data["dev"]).items()},
            cost=0.3 * len(data["dev"]),
        ),
    }


def cid_examples(config: TrainingConfig, train: Dataset) -> Dataset:
    """Return the annotated training examples that CID is measured on; the probes come first."""
    rows = train.visible
    if config.cid_rows is not None:
        rows = np.random.default_rng(0).permutation(rows[_is_comparable(train, rows)])
        rows = rows[: config.cid_rows]
        if not len(rows):
            raise UserError(
                "no label of the training data occurs with two confounds, so there is nothing to "
                "compare; check the confound column or the rule"
            )
    return train.subset(rows)


def _is_comparable(train: Dataset, rows: np.ndarray) -> np.ndarray:
    """Which of the rows have a label that occurs with several confounds."""
    label, confound = train.label[rows], train.confound[rows]
    several = [y for y in np.unique(label) if len(np.unique(confound[label == y])) > 1]
    return np.isin(label, several)
