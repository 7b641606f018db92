"""Attribution: which training examples helped or harmed a model on a probe.

============================= ================================= ============================
method                        score                             what it asks
============================= ================================= ============================
:func:`gradient_product`      ``g_trn . g_prb``                 what one step would do
:func:`gradient_cosine`       ``ĝ_trn . ĝ_prb``                 whether both pull alike
:func:`tracin`                ``sum_c rate_c g_trn . g_prb``    what training did
:func:`influence_functions`   ``g_prb^T A^-1 g_trn / N``        what leaving it out would do
:func:`relatif`               influence by its size             what matters to this probe
:func:`representer_points`    ``alpha_i[y] f_trn . f_prb``      what a logit is made of
:func:`embedding_similarity`  ``f_trn . f_prb``, of units       what looks alike
============================= ================================= ============================

Each is a factory; ``method.fit(params, train).score(probes)`` is a matrix ``(P, N)`` in which
**larger means that the training example helped the probe** (:mod:`itune.attribution.attribution`).
:func:`top` shows its two ends. The ways to the inverse Hessian ``A^-1`` are solvers:

============================ ======================= ============================= ================
solver                       error                   cost, in Hessian products     memory
============================ ======================= ============================= ================
:func:`exact`                rounding                D once (and D^3 once)         ``D^2``
:func:`conjugate_gradients`  set by ``tolerance``    steps, for each vector        some vectors
:func:`lissa`                random                  ``repeats depth batch / N``,  some vectors
                                                     and 1, for each vector
============================ ======================= ============================= ================

A Hessian product goes once through the training set, at about three times the cost of its gradient.
"""

from itune.attribution.attribution import Attribution, Fitted
from itune.attribution.embedding_similarity import embedding_similarity
from itune.attribution.gradient_cosine import gradient_cosine
from itune.attribution.gradient_product import gradient_product
from itune.attribution.hessian import Hessian
from itune.attribution.influence_functions import Curvature, influence_functions
from itune.attribution.inverse_hessian import Solver, conjugate_gradients, exact, lissa
from itune.attribution.relatif import relatif
from itune.attribution.representer_points import Representers, representer_points
from itune.attribution.top import Ranked, Top, format_top, top
from itune.attribution.tracin import tracin

__all__ = [
    "Attribution",
    "Curvature",
    "Fitted",
    "Hessian",
    "Ranked",
    "Representers",
    "Solver",
    "Top",
    "conjugate_gradients",
    "embedding_similarity",
    "exact",
    "format_top",
    "gradient_cosine",
    "gradient_product",
    "influence_functions",
    "lissa",
    "relatif",
    "representer_points",
    "top",
    "tracin",
]
