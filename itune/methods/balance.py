"""Batches and subsets in which all groups of the visible examples are equally large (NumPy).

What the baselines that balance, by sampling or by weights, have in common.
"""

from collections.abc import Mapping

import numpy as np

from itune.data.dataset import Dataset
from itune.errors import UserError
from itune.groups import Group, groups_of
from itune.methods.label_steps import LabelConfig


def require_confounds(train: Dataset, method: str) -> None:
    """Checks that a method of this name sees two confounds or more.

    Raises:
      UserError: it does not.
    """
    count = len(np.unique(train.confound[train.visible]))
    if count < 2:
        raise UserError(
            f"method {method} needs two confound values or more and sees {count}; check the data, "
            "or raise access.rate"
        )


def visible_groups(train: Dataset, method: str, *, least: int = 1) -> dict[Group, np.ndarray]:
    """The visible examples of every combination of a label and a confound, in order.

    Args:
      train: the training data.
      method: the name of the method that needs them.
      least: how many of each it needs.

    Raises:
      UserError: it sees fewer, or fewer than two confounds.
    """
    require_confounds(train, method)
    visible = train.visible
    found = groups_of(train.label[visible], train.confound[visible])
    confounds = np.unique(train.confound[visible])
    for group in (Group(int(y), int(c)) for y in np.unique(train.label) for c in confounds):
        count = len(found.get(group, ()))
        if count < least:
            raise UserError(
                f"method {method} needs {least} or more examples of group {group} and sees "
                f"{count}; add some, or raise access.rate"
            )
    return {group: visible[indices] for group, indices in found.items()}


def share_of_group(label: LabelConfig, groups: Mapping[Group, np.ndarray]) -> int:
    """Examples of each group in a balanced batch; the rest of the division is left out.

    Raises:
      UserError: there would be none.
    """
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
    """For each epoch as many batches as finetuning has, with equally many examples of each group.

    Every batch is drawn afresh; with replacement from a group that is smaller than its share.
    """
    size = share_of_group(label, groups)

    def batch():
        drawn = [rng.choice(group, size, replace=len(group) < size) for group in groups.values()]
        return np.concatenate(drawn)

    steps = len(train) // label.batch
    return [[batch() for _ in range(steps)] for _ in range(label.epochs)]


def balanced_subset(rng: np.random.Generator, groups: Mapping[Group, np.ndarray]) -> np.ndarray:
    """As many examples of each group as the smallest has, drawn without replacement."""
    size = min(map(len, groups.values()))
    return np.concatenate([rng.choice(group, size, replace=False) for group in groups.values()])


def subset_batches(
    train: Dataset,
    label: LabelConfig,
    rng: np.random.Generator,
    *,
    groups: Mapping[Group, np.ndarray],
) -> list[list[np.ndarray]]:
    """For each epoch as many batches as finetuning has, of a balanced subset only.

    The batches are cut from one permutation of the subset after the other.
    """
    subset = balanced_subset(rng, groups)
    shape = (label.epochs, len(train) // label.batch, label.batch)
    passes = -(-int(np.prod(shape)) // len(subset))
    stream = np.concatenate([rng.permutation(subset) for _ in range(passes)])
    return [list(epoch) for epoch in np.resize(stream, shape)]
