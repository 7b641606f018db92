"""Counterfactual twins of training examples: examples at the end of a data set (NumPy)."""

import numpy as np

from itune.data.dataset import Dataset
from itune.data.ragged import Ragged
from itune.errors import UserError
from itune.groups import HIDDEN


def add_twins(train: Dataset, twins: Dataset, rows: np.ndarray) -> Dataset:
    """Return a data set that goes on, after its N examples, with the M twins of some of them.

    Twins have the labels of the examples at ``rows``, ``(M,)``, and hidden confounds, so that what
    goes by groups does not see them. A twin of the same tokens, such as one that differs beyond the
    limit of tokens, is left out.
    """
    differs = [
        not np.array_equal(ids, train.input_ids[row])
        for ids, row in zip(twins.input_ids, rows, strict=True)
    ]
    places = np.flatnonzero(differs)
    twins, rows = twins.subset(places), rows[places]
    seconds = [of.second for of in (train, twins) if of.second is not None]
    return Dataset(
        Ragged.of([*train.input_ids, *twins.input_ids]),
        np.concatenate([train.label, train.label[rows]]),
        np.concatenate([train.confound, np.full(len(rows), HIDDEN, train.confound.dtype)]),
        np.concatenate(seconds) if seconds else None,
        train.padding,
        np.concatenate([np.full(len(train), -1), rows]),
    )


def split_twins(train: Dataset, method: str) -> tuple[Dataset, np.ndarray]:
    """Return the N examples that are no twins, and the index of the twin of each, ``(N,)``.

    The index is -1 where an example has none. A data set without twins is refused, in the name of a
    method.
    """
    twin_of = np.full(len(train), -1) if train.twin_of is None else train.twin_of
    twins = np.flatnonzero(twin_of >= 0)
    if not len(twins):
        raise UserError(
            f"method {method} needs training rows with a twin that differs in the tokens that the "
            "model reads, and sees none; raise max_length, or use method balanced_sampling"
        )
    size = len(train) - len(twins)
    twin = np.full(size, -1)
    twin[twin_of[twins]] = twins
    return train.subset(np.arange(size)), twin
