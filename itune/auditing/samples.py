"""Draw examples that stand for a data set, balanced over its groups (NumPy)."""

import numpy as np

from itune.groups import groups_of, paired_groups


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
