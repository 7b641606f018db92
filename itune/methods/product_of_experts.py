"""Product of experts: the model learns what the confound does not tell.

The label is predicted by the product of the model's and a fixed expert's probabilities, which knows
the confound alone (Clark et al. 2019, "Don't take the easy way out", bias product; He et al. 2019,
"Unlearn dataset bias"). At test time the model is on its own.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from itune.data.dataset import HIDDEN, Dataset
from itune.errors import require
from itune.influence import cross_entropy
from itune.methods.balance import require_confounds
from itune.methods.base import Classifier, Method, Work
from itune.methods.finetuning import finetuning
from itune.methods.label_steps import LabelConfig, label_epochs, label_optimizer, label_steps


@dataclass(frozen=True)
class ExpertsConfig:
    """The expert of the confound; the label phase does the rest.

    Attributes:
      smoothing: added to the count of each label where p(y|c) is counted.
    """

    smoothing: float = 1.0

    def __post_init__(self):
        require(self, "a positive number", lambda v: v > 0, "smoothing")


def product_of_experts(
    classifier: Classifier,
    label: LabelConfig,
    config: ExpertsConfig,
    train: Dataset,
    seed: int,
) -> Method:
    """Minimises the label loss of ``log_softmax(model's logits + log p(y|c))``.

    ``p(y|c)`` is counted in the visible training examples. Examples whose confound is hidden take
    part with ``p(y)``, counted in all training examples, in its place. The accuracy of updates is
    that of the model alone.

    Args:
      classifier: the model.
      label: the label phase.
      config: of the expert.
      train: training data, for the schedule and the expert.
      seed: of batches and dropout, which are finetuning's with the same seed.

    Raises:
      UserError: fewer than two confounds are visible.
    """
    require_confounds(train, "product_of_experts")

    def losses(state, outputs, examples):
        del state
        logits = outputs.logits
        expert = log_prior(train, logits.shape[-1], config.smoothing)
        rows = jnp.asarray(expert, logits.dtype)[examples["confound"] - HIDDEN]
        return cross_entropy(logits + rows, examples["label"])

    def plan() -> list[Work]:
        return label_epochs(train, label, seed, reads_confound=True)

    plain = finetuning(classifier, label, train, seed)
    steps = label_steps(classifier, label_optimizer(label, len(train)), losses)
    return Method(plain.init, steps, plan)


def log_prior(train: Dataset, classes: int, smoothing: float) -> np.ndarray:
    """Counts p(y|c) in the visible examples for row ``c - HIDDEN``, and p(y) in all for row 0.

    Returns:
      Their logarithms, ``(1 + confounds, classes)``; ``smoothing`` is added to each count.

    >>> train = Dataset([[]] * 5, np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, HIDDEN]))
    >>> np.exp(log_prior(train, classes=2, smoothing=1.0)).round(3).tolist()
    [[0.571, 0.429], [0.75, 0.25], [0.5, 0.5]]
    """
    values = range(int(train.confound.max()) + 1)
    groups = [train.label, *(train.label[train.confound == value] for value in values)]
    counts = np.array([np.bincount(group, minlength=classes) for group in groups]) + smoothing
    return np.log(counts / counts.sum(axis=1, keepdims=True))
