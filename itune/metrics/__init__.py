"""What a trained model shows: accuracies by group, confound influence differences, statistics."""

from itune.metrics.accuracy import Accuracy, accuracy, make_logits
from itune.metrics.cid import CID, GroupInfluences, make_cid, make_group_influences
from itune.metrics.matrix import (
    InfluenceMatrix,
    read_influence_matrix,
    write_influence_matrix,
)
from itune.metrics.probe_influences import ProbeInfluence, probe_influences
from itune.metrics.statistics import (
    PermutationTest,
    Summary,
    TTest,
    paired_test,
    permutation_test,
    summarise,
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
    "make_cid",
    "make_group_influences",
    "make_logits",
    "paired_test",
    "permutation_test",
    "probe_influences",
    "read_influence_matrix",
    "summarise",
    "write_influence_matrix",
]
