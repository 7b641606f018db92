"""Influence scores of any Flax module, and the exact derivative of the influence loss.

- :func:`value_and_grad` builds the influence loss of a batch, :class:`Tuples` or a :class:`Pool`,
  with its exact gradient.
- :func:`cosines` and :func:`products` build matrices of scores, :func:`sketches` short vectors that
  estimate cosines of many examples.
- :class:`LinenLoss` is a loss whose layers can be tapped; :func:`coverage` and
  :func:`check_coverage` tell whether taps see all of its parameters.

Functions here are pure and not jitted; wrap them in ``jax.jit`` yourself. They know nothing of
text, files or training. ``docs/derivation.md`` derives the formulas.
"""

from itune.influence.coverage import TensorCoverage, check_coverage, coverage, format_coverage
from itune.influence.gradient import PAIR_FREE, ROUTES, value_and_grad
from itune.influence.microbatch import largest_microbatch
from itune.influence.objective import LinenLoss, cross_entropy
from itune.influence.pools import Pool
from itune.influence.random_projections import draw_projections, sketches
from itune.influence.routes import pair_terms
from itune.influence.scores import cosines, products
from itune.influence.subsets import Select
from itune.influence.tuples import InfluenceInfo, Tuples, make_weights
from itune.influence.types import LossFn

__all__ = [
    "PAIR_FREE",
    "ROUTES",
    "InfluenceInfo",
    "LinenLoss",
    "LossFn",
    "Pool",
    "Select",
    "TensorCoverage",
    "Tuples",
    "check_coverage",
    "cosines",
    "coverage",
    "cross_entropy",
    "draw_projections",
    "format_coverage",
    "largest_microbatch",
    "make_weights",
    "pair_terms",
    "products",
    "sketches",
    "value_and_grad",
]
