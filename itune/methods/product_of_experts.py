"""Product of experts: the model learns what the confound does not tell.

The label is predicted by the product of the model's probabilities and a fixed expert's, which knows
the confound alone (Clark et al. 2019, "Don't take the easy way out", bias product).
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import HIDDEN, Dataset
from itune.errors import require
from itune.influence import cross_entropy
from itune.methods.balance import require_confounds
from itune.methods.base import Batch, Classifier, Method, Outputs, State, Work
from itune.methods.finetuning import finetuning
from itune.methods.label_steps import LabelConfig, label_epochs, label_optimizer, label_steps


@dataclass(frozen=True)
class ExpertsConfig:
    """The expert of product of experts.

    Attributes:
      smoothing: Added to the count of each label with each confound, of which p(y|c) is made.
    """

    smoothing: float = 1.0

    def __post_init__(self) -> None:
        require(self, "a positive number", lambda v: v > 0, "smoothing")


def product_of_experts(
    classifier: Classifier,
    label: LabelConfig,
    config: ExpertsConfig,
    train: Dataset,
    seed: int,
) -> Method:
    """Minimise the label loss of ``log_softmax(model's logits + log p(y|c))``.

    ``p(y|c)`` is counted in the visible training examples. Examples whose confound is hidden take
    part with ``p(y)``, counted in all training examples, in its place. The accuracy that updates
    log is that of the model alone.
    """
    require_confounds(train, "product_of_experts")

    def losses(_: State, outputs: Outputs, batch: Batch) -> jax.Array:
        logits, examples = outputs.logits, batch["examples"]
        expert = log_prior(train, logits.shape[-1], config.smoothing)
        rows = jnp.asarray(expert, logits.dtype)[examples["confound"] - HIDDEN]
        return cross_entropy(logits + rows, examples["label"])

    def plan() -> list[Work]:
        return label_epochs(train, label, seed, reads_confound=True)

    base = finetuning(classifier, label, train, seed)
    steps = label_steps(classifier, label_optimizer(label, len(train)), losses)
    return Method(base.init, steps, plan)


def log_prior(train: Dataset, classes: int, smoothing: float) -> np.ndarray:
    """Return log p(y|c) of the visible examples in row ``c - HIDDEN``, and log p(y) in row 0.

    >>> train = Dataset([[]] * 5, np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, HIDDEN]))
    >>> np.exp(log_prior(train, classes=2, smoothing=1.0)).round(3).tolist()
    [[0.571, 0.429], [0.75, 0.25], [0.5, 0.5]]
    """
    values = range(int(train.confound.max()) + 1)
    groups = [train.label, *(train.label[train.confound == value] for value in values)]
    counts = np.array([np.bincount(group, minlength=classes) for group in groups]) + smoothing
    return np.log(counts / counts.sum(axis=1, keepdims=True))
