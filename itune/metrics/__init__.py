"""What a trained model shows: accuracies by group, confound influence differences, statistics.

- Accuracies: :func:`make_logits`, :func:`accuracy`.
- Confound influence differences (CID): :func:`make_cid`, from the means of whole groups that
  :func:`make_group_influences` computes in two passes over the data; :func:`probe_influences`, the
  influences behind the CID of single probes.
- Influences of all pairs: :func:`write_influence_matrix` on disk, :func:`influences_among` in
  memory.
- Statistics: :func:`summarise` and tests of a difference of means, :func:`wilson` for proportions,
  :func:`holm` for several tests at once.
"""

from itune.metrics.accuracy import Accuracy, accuracy, make_logits
from itune.metrics.cid import CID, GroupInfluences, make_cid, make_group_influences
from itune.metrics.corrections import holm
from itune.metrics.matrix import (
    InfluenceMatrix,
    influences_among,
    read_influence_matrix,
    write_influence_matrix,
)
from itune.metrics.probe_influences import ProbeInfluence, probe_influences
from itune.metrics.proportions import wilson
from itune.metrics.statistics import (
    PermutationTest,
    Summary,
    TTest,
    paired_test,
    permutation_test,
    student_test,
    summarise,
    welch_test,
)

__all__ = [
    "CID",
    "Accuracy",
    "GroupInfluences",
    "InfluenceMatrix",
    "PermutationTest",
    "ProbeInfluence",
    "Summary",
    "TTest",
    "accuracy",
    "holm",
    "influences_among",
    "make_cid",
    "make_group_influences",
    "make_logits",
    "paired_test",
    "permutation_test",
    "probe_influences",
    "read_influence_matrix",
    "student_test",
    "summarise",
    "welch_test",
    "wilson",
    "write_influence_matrix",
]
