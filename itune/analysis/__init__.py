"""What a trained model shows: accuracies by cell, confound influence differences, figures."""

from itune.analysis.accuracy import Accuracy, accuracy, make_logits
from itune.analysis.cid import CID, make_cid

__all__ = ["CID", "Accuracy", "accuracy", "make_cid", "make_logits"]
