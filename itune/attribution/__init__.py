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

Each is a factory; ``method.fit(params, train).score(probes)`` is a matrix ``(P, N)`` of which
larger means helped (:mod:`itune.attribution.attribution`). :func:`top` shows its two ends.
:func:`exact`, :func:`conjugate_gradients` and :func:`lissa` are the ways to ``A^-1``.
"""

from itune.attribution.attribution import Attribution, Fitted
from itune.attribution.embedding_similarity import embedding_similarity
from itune.attribution.gradient_cosine import gradient_cosine
from itune.attribution.gradient_product import gradient_product
from itune.attribution.influence_functions import Curvature, influence_functions
from itune.attribution.inverse_hessian import conjugate_gradients, exact, lissa
from itune.attribution.relatif import relatif
from itune.attribution.representer_points import Representers, representer_points
from itune.attribution.top import Ranked, Top, format_top, top
from itune.attribution.tracin import tracin

__all__ = [
    "Attribution",
    "Curvature",
    "Fitted",
    "Ranked",
    "Representers",
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
