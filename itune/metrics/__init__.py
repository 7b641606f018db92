"""What a trained model shows: accuracies by group, confound influence differences, figures."""

from itune.metrics.accuracy import Accuracy, accuracy, make_logits
from itune.metrics.cid import CID, GroupInfluences, make_cid, make_group_influences
from itune.metrics.matrix import (
    InfluenceMatrix,
    influences_among,
    read_influence_matrix,
    write_influence_matrix,
)

__all__ = [
    "CID",
    "GroupInfluences",
    "Accuracy",
    "InfluenceMatrix",
    "accuracy",
    "influences_among",
    "make_group_influences",
    "make_cid",
    "make_logits",
    "read_influence_matrix",
    "write_influence_matrix",
]
