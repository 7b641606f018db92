"""What a trained model shows: accuracies by cell, confound influence differences, figures."""

from itune.analysis.accuracy import Accuracy, accuracy, make_logits
from itune.analysis.cid import CID, CellInfluences, make_cell_influences, make_cid
from itune.analysis.matrix import (
    InfluenceMatrix,
    influences_among,
    read_influence_matrix,
    write_influence_matrix,
)

__all__ = [
    "CID",
    "CellInfluences",
    "Accuracy",
    "InfluenceMatrix",
    "accuracy",
    "influences_among",
    "make_cell_influences",
    "make_cid",
    "make_logits",
    "read_influence_matrix",
    "write_influence_matrix",
]
