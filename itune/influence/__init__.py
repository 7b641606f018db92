"""Influence scores of any Flax module, and the exact derivative of the influence loss."""

from itune.influence.gradient import ROUTES, value_and_grad
from itune.influence.objective import LinenLoss, cross_entropy
from itune.influence.routes import pair_terms
from itune.influence.tuples import InfluenceInfo, Tuples, make_weights

__all__ = [
    "ROUTES",
    "InfluenceInfo",
    "LinenLoss",
    "Tuples",
    "cross_entropy",
    "make_weights",
    "pair_terms",
    "value_and_grad",
]
