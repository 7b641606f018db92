"""Batches and subsets in which all groups are equally large, hidden confounds left out (NumPy)."""

from collections.abc import Mapping, Sequence

import numpy as np

from itune.data.dataset import Dataset
from itune.data.sampling import batches_of
from itune.errors import UserError
from itune.groups import Group, groups_of
from itune.methods.label_steps import LabelConfig


def require_confounds(train: Dataset, method: str) -> None:
    """Refuse training data in which fewer than two confounds are visible."""
    count = len(np.unique(train.confound[train.visible]))
    if count < 2:
        raise UserError(
            f"method {method} needs two confound values or more and sees {count}; check the data, "
            "or raise access.rate"
        )


def visible_groups(train: Dataset, method: str, *, least: int = 1) -> dict[Group, np.ndarray]:
    """Return the visible examples of every group, in the order of labels and confounds.

    Data with fewer than two confounds, or fewer than ``least`` examples of a group, are refused.
    """
    require_confounds(train, method)
    visible = train.visible
    groups = groups_of(train.label[visible], train.confound[visible])
    confounds = np.unique(train.confound[visible])
    for group in (Group(int(y), int(c)) for y in np.unique(train.label) for c in confounds):
        count = len(groups.get(group, ()))
        if count < least:
            raise UserError(
                f"method {method} needs {least} or more examples of group {group} and sees "
                f"{count}; add some, or raise access.rate"
            )
    return {group: visible[indices] for group, indices in groups.items()}


def group_numbers(groups: Sequence[Group]) -> np.ndarray:
    """Return the number of each group in order, at its label and confound."""
    numbers = np.zeros(np.max(groups, axis=0) + 1, np.int32)
    for number, group in enumerate(groups):
        numbers[group] = number
    return numbers


def share_of_group(label: LabelConfig, groups: Mapping[Group, np.ndarray]) -> int:
    """Return how many examples of each group a balanced batch holds; fewer places are refused."""
    if label.batch < len(groups):
        raise UserError(
            f"label.batch is {label.batch} but there are {len(groups)} groups, of which a batch "
            f"holds equally many examples; set it to {len(groups)} or more"
        )
    return label.batch // len(groups)


def balanced_batches(
    train: Dataset,
    label: LabelConfig,
    rng: np.random.Generator,
    *,
    groups: Mapping[Group, np.ndarray],
) -> list[list[np.ndarray]]:
    """Draw batches that hold equally many examples of each group, as many as finetuning has.

    Each batch is drawn anew; with replacement from a group that is smaller than its share.
    """
    size = share_of_group(label, groups)

    def batch() -> np.ndarray:
        drawn = [rng.choice(group, size, replace=len(group) < size) for group in groups.values()]
        return np.concatenate(drawn)

    steps = len(train) // label.batch
    return [[batch() for _ in range(steps)] for _ in range(label.epochs)]


def balanced_subset(rng: np.random.Generator, groups: Mapping[Group, np.ndarray]) -> np.ndarray:
    """Draw, without replacement, as many examples of each group as the smallest has."""
    size = min(map(len, groups.values()))
    return np.concatenate([rng.choice(group, size, replace=False) for group in groups.values()])


def subset_batches(
    train: Dataset,
    label: LabelConfig,
    rng: np.random.Generator,
    *,
    groups: Mapping[Group, np.ndarray],
) -> list[list[np.ndarray]]:
    """Draw batches of a balanced subset, as many and as large as finetuning has.

    They are cut from one permutation of the subset after another.
    """
    subset = balanced_subset(rng, groups)
    shape = (label.epochs, len(train) // label.batch, label.batch)
    return batches_of(rng, subset, shape)
