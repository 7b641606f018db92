"""Balanced sampling: finetuning on batches that hold equally many examples of each group.

"Reweighting groups" (RWG) of Idrissi et al. 2022, "Simple data balancing achieves competitive
worst-group-accuracy".
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
    """Minimise the label loss of balanced batches, in as many label steps as finetuning.

    Where the number of groups does not divide ``label.batch``, a batch is smaller by the remainder.
    Examples whose confound is hidden are left out.
    """

    def plan() -> list[Work]:
        draw = partial(balanced_batches, groups=visible_groups(train, "balanced_sampling"))
        return label_epochs(train, label, seed, draw=draw, reads_confound=True)

    return finetuning(classifier, label, train, seed)._replace(plan=plan)
