"""Confound access: for how many training examples the confound may be used (NumPy)."""

from dataclasses import dataclass

import numpy as np

from itune.data.dataset import HIDDEN, Dataset
from itune.errors import UserError, require
from itune.groups import Group, groups_of
from itune.utils.suggestions import require_one_of

RANDOM, RELEASED = "random", "released"
OF_EACH_MINORITY = 5


@dataclass(frozen=True)
class AccessConfig:
    """Which training examples' confounds a method may see.

    Attributes:
      rate: Fraction of the training examples whose confound is visible, above 0 and at most 1.
      rule: How the examples are chosen: ``random``, a random subset; or ``released``, the rule of
        the released code: 5 examples of each minority group, the others at random. A minority group
        is any but its label's largest.
    """

    rate: float = 1.0
    rule: str = RELEASED

    def __post_init__(self) -> None:
        require(self, "a number above 0 and at most 1", lambda v: 0 < v <= 1, "rate")
        require_one_of(self, rule=(RANDOM, RELEASED))


def draw_visible(
    label: np.ndarray, confound: np.ndarray, config: AccessConfig, rng: np.random.Generator
) -> np.ndarray:
    """Draw the examples whose confound is visible: ``round(rate N)`` of N, or all at rate 1.

    Examples that are not annotated are never drawn; if fewer than that number are annotated, all of
    those are taken. Under ``released`` at least 5 examples of each minority group, or all of a
    smaller one, are drawn first; the rest come from all annotated examples that are left.
    """
    annotated = np.flatnonzero(confound != HIDDEN)
    size = round(config.rate * len(label))
    if size >= len(annotated):
        return annotated
    kept = np.empty(0, np.int64)
    if config.rule == RELEASED:
        groups = minority_groups(label[annotated], confound[annotated]).values()
        drawn = [rng.choice(g, min(OF_EACH_MINORITY, len(g)), replace=False) for g in groups]
        kept = np.concatenate([kept, *(annotated[places] for places in drawn)])
    rest = np.setdiff1d(annotated, kept)
    others = rng.choice(rest, max(size - len(kept), 0), replace=False)
    return np.sort(np.concatenate([kept, others]))


def minority_groups(label: np.ndarray, confound: np.ndarray) -> dict[Group, np.ndarray]:
    """Return the indices of every group but the largest of each label.

    >>> groups = minority_groups(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 0, 1]))
    >>> {str(group): indices.tolist() for group, indices in groups.items()}
    {'y=0 c=1': [2], 'y=1 c=0': [4]}
    """
    groups = groups_of(label, confound)
    largest = {
        max((c for c in groups if c.label == y), key=lambda c: len(groups[c]))
        for y in {group.label for group in groups}
    }
    return {group: indices for group, indices in groups.items() if group not in largest}


def hide_confounds(train: Dataset, config: AccessConfig, rng: np.random.Generator) -> Dataset:
    """Hide all confounds of the training data but those of :func:`draw_visible`.

    A rate is refused that leaves a group fewer than two visible examples, or none if it has one.
    """
    visible = draw_visible(train.label, train.confound, config, rng)
    annotated = train.visible
    before = groups_of(train.label[annotated], train.confound[annotated])
    after = groups_of(train.label[visible], train.confound[visible])
    for group, indices in before.items():
        left = len(after.get(group, ()))
        if left < min(2, len(indices)):
            raise UserError(
                f"access.rate {config.rate:g} leaves {left} of the {len(indices)} examples of "
                f"group {group} visible, and 2 are needed; raise it, or set access.rule to "
                f"{RELEASED}"
            )
    return with_only(train, visible)


def hide_lone(train: Dataset) -> Dataset:
    """Hide the confounds of training examples that have no partners.

    These are the examples alone in their group, and all examples of a label that then has one
    confound only.

    >>> train = Dataset([[]] * 6, np.array([0, 0, 0, 0, 0, 1]), np.array([0, 0, 1, 1, 2, 0]))
    >>> hide_lone(train).confound.tolist()
    [0, 0, 1, 1, -1, -1]
    """
    visible = train.visible
    groups = groups_of(train.label[visible], train.confound[visible])
    groups = {group: visible[rows] for group, rows in groups.items() if len(rows) > 1}
    labels = [group.label for group in groups]
    kept = [rows for group, rows in groups.items() if labels.count(group.label) > 1]
    if not kept:
        raise UserError(
            "no label occurs with two confounds of 2 or more training examples each, so nobody has "
            "partners of the same and of another confound; add examples, or use method finetuning"
        )
    return with_only(train, np.concatenate(kept))


def with_only(train: Dataset, visible: np.ndarray) -> Dataset:
    """Hide the confounds of all examples but those at some indices."""
    confound = np.full_like(train.confound, HIDDEN)
    confound[visible] = train.confound[visible]
    return Dataset(train.input_ids, train.label, confound, train.second, train.padding)
