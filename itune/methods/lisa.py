"""LISA: label steps on mixtures of two examples that share their label or their confound alone.

Selective augmentation (Yao et al. 2022, "Improving out-of-distribution robustness via selective
augmentation").
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import Dataset, chunks_by_length
from itune.errors import UserError, require
from itune.groups import Group
from itune.influence import cross_entropy
from itune.methods.balance import visible_groups
from itune.methods.base import EVALUATIONS, Batch, Classifier, Method, Outputs, State, Work
from itune.methods.finetuning import finetuning
from itune.methods.label_steps import LabelConfig, label_optimizer, label_steps


@dataclass(frozen=True)
class LisaConfig:
    """LISA; other settings are those of the label steps.

    Attributes:
      alpha: Both parameters of the beta distribution that the share of an example in its mixture is
        drawn from; the larger, the nearer to a half. The authors' commands have 2.
      same_label: Probability that a batch mixes examples of one label and two confounds; otherwise
        it mixes examples of one confound and two labels. The authors' commands have 0.5.
    """

    alpha: float = 2.0
    same_label: float = 0.5

    def __post_init__(self) -> None:
        require(self, "a positive number", lambda v: v > 0, "alpha")
        require(self, "a number from 0 to 1", lambda v: 0 <= v <= 1, "same_label")


def lisa(
    classifier: Classifier, label: LabelConfig, config: LisaConfig, train: Dataset, seed: int
) -> Method:
    """Minimise the label loss of mixed pooled vectors, in as many label steps as finetuning.

    A batch consists of pairs. Each of the two is mixed with the other, ``s h_1 + (1 - s) h_2`` of
    the pooled vectors with an ``s`` of its own, and has the same mixture of both losses. Since the
    head is linear, mixed vectors have mixed logits, which is what is computed. The first of the
    pairs are of all groups in turn, the group of the second is drawn from those that the first may
    be mixed with. A batch of odd size holds one example less. Examples whose confound is hidden are
    left out. The accuracy that updates log is of the examples as they are.

    This differs from the paper in: 1. pooled vectors are mixed, as in the authors' code for texts,
    not inputs; 2. BertAdam with decoupled weight decay.
    """
    groups = visible_groups(train, "lisa")
    if label.batch < 2:
        raise UserError("label.batch is 1 but a mixture takes two examples; set it to 2 or more")

    def losses(_: State, outputs: Outputs, batch: Batch) -> jax.Array:
        """Rows 2 i and 2 i + 1 are a pair."""
        labels, share = batch["examples"]["label"], batch["share"].astype(outputs.logits.dtype)
        other = jnp.arange(len(labels)) ^ 1
        weight = share[:, None]
        logits = weight * outputs.logits + (1 - weight) * outputs.logits[other]
        own, others = cross_entropy(logits, labels), cross_entropy(logits, labels[other])
        return share * own + (1 - share) * others

    def plan() -> list[Work]:
        rng, steps = np.random.default_rng([seed, 0]), len(train) // label.batch
        work, dropout = [], np.random.default_rng([seed, 1])
        for step in range(label.epochs * steps):
            pairs = _draw_pairs(rng, groups, label.batch // 2, rng.random() < config.same_label)
            share = rng.beta(config.alpha, config.alpha, pairs.shape)
            work += _mixed_work(train, label, pairs, share, step, dropout)
            if (step + 1) % steps == 0:
                note = f"epoch {(step + 1) // steps}"
                work += [Work(kind, step + 1, note=note) for kind in EVALUATIONS]
        return work

    base = finetuning(classifier, label, train, seed)
    steps = label_steps(classifier, label_optimizer(label, len(train)), losses)
    return Method(base.init, steps, plan)


def _draw_pairs(
    rng: np.random.Generator, groups: Mapping[Group, np.ndarray], count: int, same_label: bool
) -> np.ndarray:
    """Draw pairs of examples that differ in the confound alone, or in the label alone, (n, 2).

    An example occurs more than once if its group is smaller than its part of the batch.
    """
    keys = np.array(list(groups))
    shared, other = (0, 1) if same_label else (1, 0)
    may_mix = (keys[:, None, shared] == keys[None, :, shared]) & (
        keys[:, None, other] != keys[None, :, other]
    )
    first = np.resize(rng.permutation(len(keys)), count)
    second = [rng.choice(np.flatnonzero(may_mix[number])) for number in first]
    members = np.stack([first, second], axis=1)
    pairs = np.empty_like(members)
    for number, rows in enumerate(groups.values()):
        places = members == number
        size = places.sum()
        pairs[places] = rng.choice(rows, size, replace=len(rows) < size)
    return pairs


def _mixed_work(
    train: Dataset,
    label: LabelConfig,
    pairs: np.ndarray,
    share: np.ndarray,
    step: int,
    dropout: np.random.Generator,
) -> list[Work]:
    """Return the work of one label step, the two examples of a pair beside one another."""
    work = []
    for chunk, is_real in chunks_by_length(train, pairs, max(label.chunk // 2, 1)):
        arrays = {
            "is_real": np.repeat(is_real, 2),
            "share": share[chunk].astype(np.float32).ravel(),
            "dropout": np.uint32(dropout.integers(2**32)),
        }
        examples = pairs[chunk].ravel()
        work.append(Work("label", step, arrays, examples, cost=len(examples), reads_confound=True))
    return [*work, Work("label_update", step)]
