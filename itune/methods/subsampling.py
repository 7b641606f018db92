"""Subsampling: finetuning on a random subset in which all groups are as large as the smallest.

Label and confound are independent in it, at the price of less data (Sagawa et al. 2020b, "An
investigation of why overparameterization exacerbates spurious correlations").
"""

from functools import partial

from itune.data.dataset import Dataset
from itune.methods.balance import subset_batches, visible_groups
from itune.methods.base import Classifier, Method, Work
from itune.methods.finetuning import finetuning
from itune.methods.label_steps import LabelConfig, label_epochs


def subsampling(classifier: Classifier, label: LabelConfig, train: Dataset, seed: int) -> Method:
    """Minimise the label loss of the subset, in as many label steps as finetuning on all data.

    The subset is passed through as often as that takes, shuffled each time. A batch larger than the
    subset holds examples more than once. Examples whose confound is hidden are left out.
    """

    def plan() -> list[Work]:
        draw = partial(subset_batches, groups=visible_groups(train, "subsampling", least=2))
        return label_epochs(train, label, seed, draw=draw, reads_confound=True)

    return finetuning(classifier, label, train, seed)._replace(plan=plan)
