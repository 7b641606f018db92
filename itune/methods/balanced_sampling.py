"""Balanced sampling: finetuning on batches that hold equally many examples of each group.

Label and confound are independent in what the model sees. Called "reweighting groups" by sampling
in Idrissi et al. 2022, a strong baseline there.
"""

from functools import partial

from itune.data.dataset import Dataset
from itune.methods.balance import balanced_batches, visible_groups
from itune.methods.base import Classifier, Method, Work
from itune.methods.finetuning import finetuning
from itune.methods.label_steps import LabelConfig, label_epochs


def balanced_sampling(
    classifier: Classifier, label: LabelConfig, train: Dataset, seed: int
) -> Method:
    """Minimises the label loss of balanced batches, in as many label steps as finetuning.

    Each batch is drawn afresh, with replacement from a group that is smaller than its share. Where
    the number of groups does not divide ``label.batch``, a batch is smaller by the remainder.
    Examples whose confound is hidden are left out.

    Args:
      classifier: the model.
      label: the label phase.
      train: Training data.
      seed: of batches and dropout.

    Raises:
      UserError: by its plan, where fewer than two confounds are visible, a group has no visible
        example, or there are more groups than a batch has examples.
    """

    def plan() -> list[Work]:
        draw = partial(balanced_batches, groups=visible_groups(train, "balanced_sampling"))
        return label_epochs(train, label, seed, draw=draw, reads_confound=True)

    return finetuning(classifier, label, train, seed)._replace(plan=plan)
