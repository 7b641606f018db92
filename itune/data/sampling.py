"""Draw batches, probes and partners (NumPy; pure functions of a random generator)."""

from collections.abc import Sequence

import numpy as np

from itune.errors import UserError
from itune.groups import groups_of


def label_batches(
    rng: np.random.Generator, count: int, batch: int, epochs: int
) -> list[list[np.ndarray]]:
    """Draw ``count // batch`` batches of a new permutation for each epoch; the rest is left out."""
    per_epoch = count // batch
    return [
        list(rng.permutation(count)[: per_epoch * batch].reshape(per_epoch, batch))
        for _ in range(epochs)
    ]


def batches_of(
    rng: np.random.Generator, rows: np.ndarray, shape: tuple[int, int, int]
) -> list[list[np.ndarray]]:
    """Cut batches from one permutation of some rows after another: epochs, batches, batch size."""
    passes = -(-int(np.prod(shape)) // len(rows))
    stream = np.concatenate([rng.permutation(rows) for _ in range(passes)])
    return [list(epoch) for epoch in np.resize(stream, shape)]


def halves(rng: np.random.Generator, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split a group at random, the odd one to the first half; fewer than 4 are in both."""
    if len(group) < 4:
        return group, group
    mixed, half = rng.permutation(group), (len(group) + 1) // 2
    return mixed[:half], mixed[half:]


def draw_probes(rng: np.random.Generator, count: int, pool: np.ndarray) -> np.ndarray:
    """Draw ``count`` different examples of the pool, or all of a smaller one, in random order."""
    return rng.choice(pool, size=min(count, len(pool)), replace=False)


def draw_partners(
    rng: np.random.Generator,
    probes: np.ndarray,
    k: int,
    label: np.ndarray,
    confound: np.ndarray,
    pool: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the A and B examples of each probe.

    A holds k examples of the pool with the probe's label and confound, the probe itself left out; B
    holds k with its label and another confound. A smaller group is taken whole; its missing places
    are filled with the probe's index and weight 0.

    Args:
      rng: Random generator of the drawing.
      probes: Indices of the probes, an integer array of shape ``(P,)``.
      k: Number of examples of A, and of B.
      label: Labels of all examples, an integer array of shape ``(N,)``.
      confound: Confounds of all examples, an integer array of shape ``(N,)``.
      pool: Indices of the examples that may be drawn, an integer array.

    Returns:
      ``partners``, indices of shape ``(P, 2 k)``, int64, A first; and ``weights``, a float32 array
      of shape ``(P, 2 k)``: ``1 / |A|``, ``-1 / |B|``, or 0.
    """
    partners = np.empty((len(probes), 2 * k), np.int64)
    weights = np.zeros((len(probes), 2 * k), np.float32)
    for row, probe in enumerate(probes):
        has_label = label[pool] == label[probe]
        has_confound = confound[pool] == confound[probe]
        same = pool[has_label & has_confound & (pool != probe)]
        different = pool[has_label & ~has_confound]
        for start, group, sign in ((0, same, 1.0), (k, different, -1.0)):
            drawn = rng.choice(group, size=min(k, len(group)), replace=False)
            partners[row, start : start + k] = probe
            partners[row, start : start + len(drawn)] = drawn
            weights[row, start : start + len(drawn)] = sign / max(len(drawn), 1)
    return partners, weights


def draw_pools(
    rng: np.random.Generator,
    count: int,
    label: np.ndarray,
    confound: np.ndarray,
    pool: np.ndarray,
    *,
    name: str = "count",
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Draw a stratified batch: equally many examples of each group, in one pool for each label.

    Labels that occur with one confound only have no partners and are left out. A smaller group is
    taken whole; its missing places repeat its first example and are not real.

    Args:
      rng: Random generator of the drawing, which is without replacement.
      count: Number of examples in all; rounded down to equally many of each group.
      label: Labels of all examples, an integer array of shape ``(N,)``.
      confound: Confounds of all examples, an integer array of shape ``(N,)``.
      pool: Indices of the examples that may be drawn, an integer array.
      name: Name of the setting that is ``count``, for the error message.

    Returns:
      For each label ``indices``, an int64 array, and ``is_real``, a bool array, both of shape
      ``(confounds, n)``.

    Raises:
      UserError: ``count`` leaves fewer than two examples for each group.
    """
    groups = {group: pool[found] for group, found in groups_of(label[pool], confound[pool]).items()}
    labels = [group.label for group in groups]
    rows = {y: [groups[c] for c in groups if c.label == y] for y in labels if labels.count(y) > 1}
    total = sum(map(len, rows.values()))
    size = count // total
    if size < 2:
        raise UserError(
            f"{name} is {count}, which leaves fewer than 2 of each of {total} groups to a "
            f"pool; set it to {2 * total} or more"
        )
    return [_draw_rows(rng, groups, size) for groups in rows.values()]


def joined_pools(
    pools: list[tuple[np.ndarray, np.ndarray]], confound: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Join the pools of all labels into one, ``(labels, confounds, n)``, a row for each confound.

    A row that a label lacks repeats its first example and is not real.
    """
    values = np.unique(np.concatenate([confound[indices[:, 0]] for indices, _ in pools]))
    shape = (len(pools), len(values), pools[0][0].shape[1])
    joined, is_joined_real = np.empty(shape, np.int64), np.zeros(shape, bool)
    for label, (indices, is_real) in enumerate(pools):
        rows = np.searchsorted(values, confound[indices[:, 0]])
        joined[label] = indices[0, 0]
        joined[label, rows], is_joined_real[label, rows] = indices, is_real
    return joined, is_joined_real


def balance_batch(
    rng: np.random.Generator, batch: np.ndarray, groups: Sequence[np.ndarray]
) -> np.ndarray:
    """Draw the examples of a batch that are in a group anew, as many of each group as of any other.

    What cannot be shared out evenly goes to groups drawn at random. Drawn with replacement only
    from a group that is smaller than its share; the others of the batch stay.
    """
    places = np.flatnonzero(np.isin(batch, np.concatenate(groups)))
    owner = rng.permutation(len(groups))[np.arange(len(places)) % len(groups)]
    balanced = batch.copy()
    for number, group in enumerate(groups):
        own = places[owner == number]
        balanced[own] = rng.choice(group, len(own), replace=len(group) < len(own))
    return balanced


def _draw_rows(
    rng: np.random.Generator, groups: list[np.ndarray], size: int
) -> tuple[np.ndarray, np.ndarray]:
    indices = np.empty((len(groups), size), np.int64)
    is_real = np.zeros(indices.shape, bool)
    for row, group in enumerate(groups):
        drawn = rng.choice(group, size=min(size, len(group)), replace=False)
        indices[row] = drawn[0]
        indices[row, : len(drawn)] = drawn
        is_real[row, : len(drawn)] = True
    return indices, is_real
