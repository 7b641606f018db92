"""Influence scores of any Flax module, and the exact derivative of the influence loss."""

from itune.influence.coverage import TensorCoverage, check_coverage, coverage, format_coverage
from itune.influence.gradient import PAIR_FREE, ROUTES, value_and_grad
from itune.influence.microbatch import largest_microbatch
from itune.influence.objective import LinenLoss, cross_entropy
from itune.influence.pools import Pool
from itune.influence.routes import pair_terms
from itune.influence.scores import cosines, products
from itune.influence.subsets import Select
from itune.influence.tuples import InfluenceInfo, Tuples, make_weights

__all__ = [
    "PAIR_FREE",
    "ROUTES",
    "InfluenceInfo",
    "LinenLoss",
    "Pool",
    "Select",
    "TensorCoverage",
    "Tuples",
    "check_coverage",
    "cosines",
    "coverage",
    "cross_entropy",
    "format_coverage",
    "largest_microbatch",
    "make_weights",
    "pair_terms",
    "products",
    "value_and_grad",
]
