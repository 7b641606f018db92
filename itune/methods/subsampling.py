"""Subsampling: finetuning on a random subset in which all groups are as large as the smallest.

Label and confound are independent in it, at the price of less data (Sagawa et al. 2020b, "An
investigation of why overparameterization exacerbates spurious correlations"; Idrissi et al. 2022).
"""

from functools import partial

from itune.data.dataset import Dataset
from itune.methods.balance import subset_batches, visible_groups
from itune.methods.base import Classifier, Method, Work
from itune.methods.finetuning import finetuning
from itune.methods.label_steps import LabelConfig, label_epochs


def subsampling(classifier: Classifier, label: LabelConfig, train: Dataset, seed: int) -> Method:
    """Minimise the label loss of the subset, in as many label steps as finetuning on all data.

    So the budget is that of finetuning, in label steps and in examples: the subset is passed
    through as often as that takes, shuffled each time, and an "epoch" has as many label steps as
    one of finetuning. A batch larger than the subset holds examples more than once. Examples whose
    confound is hidden are left out.

    Args:
      classifier: The model.
      label: Settings of the label steps.
      train: Training data.
      seed: Seed of the subset, batches and dropout; an integer from 0 to 2**32 - 1.

    Raises:
      UserError: A batch is larger than the training data. The plan raises it where fewer than two
        confounds are visible, or a group has fewer than two visible examples.
    """

    def plan() -> list[Work]:
        draw = partial(subset_batches, groups=visible_groups(train, "subsampling", least=2))
        return label_epochs(train, label, seed, draw=draw, reads_confound=True)

    return finetuning(classifier, label, train, seed)._replace(plan=plan)
