"""Groups: combinations of label and confound, what they are called, draws from them (NumPy)."""

from typing import NamedTuple

import numpy as np

from itune.errors import UserError

__all__ = ["HIDDEN", "Group", "GroupNames"]

HIDDEN = -1
"""The confound of an example that is not annotated, or whose confound a method may not see."""


class Group(NamedTuple):
    """One combination of label and confound; groups sort by label, then confound.

    Attributes:
      label: Class of its examples, an integer from 0.
      confound: Value of the confound of its examples, an integer from 0, or :data:`HIDDEN`.

    >>> str(Group(0, 1))
    'y=0 c=1'
    """

    label: int
    confound: int

    def __str__(self) -> str:
        """Return ``y=0 c=1``, as tables and messages show it."""
        return f"y={self.label} c={self.confound}"


class GroupNames(NamedTuple):
    """What the numbers of labels and confounds stand for.

    Attributes:
      labels: Names of the labels; the name of label y is ``labels[y]``.
      confounds: Names of the confounds; the name of confound c is ``confounds[c]``.
    """

    labels: tuple[str, ...]
    confounds: tuple[str, ...]

    def confound(self, number: int) -> str:
        """Return the name of a confound, or "not annotated" for :data:`HIDDEN`."""
        return "not annotated" if number == HIDDEN else self.confounds[number]

    def group(self, group: Group) -> str:
        """Return the names of a group's label and confound, in quotation marks.

        >>> GroupNames(("bad", "good"), ("acme", "other")).group(Group(0, 1))
        '"bad / other"'
        """
        return f'"{self.labels[group.label]} / {self.confound(group.confound)}"'


def groups_of(label: np.ndarray, confound: np.ndarray) -> dict[Group, np.ndarray]:
    """Return the ascending indices of each group that has examples, groups in order.

    >>> groups = groups_of(np.array([1, 0, 1]), np.array([1, 0, 1]))
    >>> {str(group): indices.tolist() for group, indices in groups.items()}
    {'y=0 c=0': [1], 'y=1 c=1': [0, 2]}
    """
    order = np.lexsort((confound, label))
    changes = (np.diff(label[order]) != 0) | (np.diff(confound[order]) != 0)
    groups = np.split(order, np.flatnonzero(changes) + 1) if len(order) else []
    return {Group(int(label[rows[0]]), int(confound[rows[0]])): rows for rows in groups}


def paired_groups(label: np.ndarray, confound: np.ndarray) -> dict[Group, np.ndarray]:
    """Return the ascending indices of each group whose label has more than one confound.

    >>> list(paired_groups(np.array([0, 0, 1]), np.array([0, 1, 1])))
    [Group(label=0, confound=0), Group(label=0, confound=1)]
    """
    groups = groups_of(label, confound)
    labels = [group.label for group in groups]
    return {group: rows for group, rows in groups.items() if labels.count(group.label) > 1}


class Counts(NamedTuple):
    """Numbers of examples of K groups, in order of label, then confound (NumPy).

    Attributes:
      label: Label of each group, ``(K,)``.
      confound: Confound of each group, ``(K,)``.
      size: Number of examples of each group, at least 1, ``(K,)``.
    """

    label: np.ndarray
    confound: np.ndarray
    size: np.ndarray


def count_groups(label: np.ndarray, confound: np.ndarray) -> Counts:
    """Count the examples of each group that has any.

    >>> [part.tolist() for part in count_groups(np.array([1, 0, 1]), np.array([2, -1, 2]))]
    [[0, 1], [-1, 2], [1, 2]]
    """
    width = int(confound.max(initial=0)) - HIDDEN + 1
    code, size = np.unique(label * np.int64(width) + (confound - HIDDEN), return_counts=True)
    return Counts(code // width, code % width + HIDDEN, size)


def group_sizes(label: np.ndarray, confound: np.ndarray) -> dict[Group, int]:
    """Return the number of examples of each group that has any, groups in order.

    >>> group_sizes(np.array([1, 0, 1]), np.array([0, 0, 0]))
    {Group(label=0, confound=0): 1, Group(label=1, confound=0): 2}
    """
    counts = (part.tolist() for part in count_groups(label, confound))
    return {Group(y, c): size for y, c, size in zip(*counts, strict=True)}


def require_partners(label: np.ndarray, confound: np.ndarray) -> None:
    """Raise a UserError unless every example has a partner of the same and one of another confound.

    Partners are other examples of its label, of which there must be two or more.
    """
    groups = groups_of(label, confound)
    if len({group.label for group in groups}) < 2:
        only = next(iter(groups)).label
        raise UserError(f"all training labels are {only}; a classifier needs two classes or more")
    for group, indices in groups.items():
        if len(indices) < 2:
            raise UserError(
                f"group {group} has 1 training example, which has no partner of the same confound; "
                "add examples to that group or remove its one"
            )
        if not any(c.label == group.label and c.confound != group.confound for c in groups):
            raise UserError(
                f"label {group.label} occurs only with confound {group.confound}, so its examples "
                "have no partner of a different confound; add some, or use method finetuning"
            )


def draw_sample(
    label: np.ndarray, confound: np.ndarray, size: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw about ``size`` examples whose influences on one another can be compared.

    Every group gets an equal share, two at least if it has two; a group that is smaller than its
    share is taken whole, and the rest of that share is not filled. Labels that occur with one
    confound only are left out. Returns ascending indices; none if no label has two confounds.
    """
    groups = paired_groups(label, confound)
    each = max(size // max(len(groups), 1), 2)
    drawn = [rng.choice(rows, min(each, len(rows)), replace=False) for rows in groups.values()]
    return np.sort(np.concatenate(drawn)) if drawn else np.empty(0, np.int64)


def draw_by_group(
    label: np.ndarray, confound: np.ndarray, size: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw ``size`` examples as evenly from all groups as the sizes of the groups allow.

    All are taken if there are no more than ``size``, one of each group if there are more groups.
    Examples that are not annotated form groups like any other. Returns ascending indices.

    >>> y = np.repeat([0, 1], [2, 98])
    >>> draw_by_group(y, y, 10, np.random.default_rng(0))[:3] < 2
    array([ True,  True, False])
    """
    if len(label) <= size:
        return np.arange(len(label))
    groups = sorted(groups_of(label, confound).values(), key=len)
    drawn, left = [], size
    for place, rows in enumerate(groups):
        each = max(left // (len(groups) - place), 1)
        drawn.append(rng.choice(rows, min(each, len(rows)), replace=False))
        left -= len(drawn[-1])
    return np.sort(np.concatenate(drawn))
