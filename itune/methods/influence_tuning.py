"""Influence tuning: label steps alternate with steps on the influence loss ``J``.

``J = (mean_A I - mean_B I)**2`` of a probe, with the gradient cosine ``I`` over all parameters (Han
& Tsvetkov 2021, section 3); its exact gradient holds second derivatives of the network.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from itune.data.dataset import Dataset
from itune.errors import require
from itune.influence import PAIR_FREE, ROUTES, value_and_grad
from itune.methods.alternating import alternating
from itune.methods.base import Classifier, Method, Work
from itune.methods.label_steps import LabelConfig
from itune.methods.rounds import POOLED, RoundConfig, RoundCosts
from itune.utils.suggestions import require_one_of

FASTEST = "fastest"
COSTS = RoundCosts(tuple=2.8, pool=4.5)


@dataclass(frozen=True)
class InfluenceConfig(RoundConfig):
    """Rounds of influence tuning.

    Attributes:
      route: How the exact gradient is computed: ``fastest``, ``ghost``, ``autodiff``, ``hvp`` or
        ``hvp_pairs``; does not change the result.
      pool_chunk: Examples of a pool computed at once by the ``fastest`` route, at least one of each
        group; all of them if none. Fewer need less memory and, by counting matrix products, 1.4
        times the time. Does not change the result.
      dropout: Whether influences are taken with dropout, a mask for each use of an example, so that
        those of the few examples of a scarce group are harder to fit by heart (Srivastava et al.
        2014). The paper takes them without.
      target: Influence difference that probes are drawn towards, ``J = (mean_A I - mean_B I -
        target)**2``, from -2 to 2. 0 demotes the confound; above 0 it is promoted, as is wanted of
        an attribute that labels should be decided by: examples that share it are then to have so
        much more influence on one another.
    """

    section: ClassVar[str] = "influence"

    route: str = FASTEST
    pool_chunk: int | None = None
    dropout: bool = False
    target: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_one_of(self, route=(FASTEST, *ROUTES))
        require(self, "a positive integer or none", lambda v: v is None or v >= 1, "pool_chunk")
        require(self, "a number from -2 to 2", lambda v: -2 <= v <= 2, "target")

    @property
    def exact_route(self) -> str:
        """The route with ``fastest`` resolved: ``pair_free`` for pools, ``ghost`` for tuples."""
        if self.route != FASTEST:
            return self.route
        return PAIR_FREE if self.partners == POOLED else "ghost"


def influence_tuning(
    classifier: Classifier,
    label: LabelConfig,
    influence: InfluenceConfig,
    train: Dataset,
    seed: int,
) -> Method:
    """Alternate label steps with steps on the influence loss ``J``."""
    route = influence.exact_route
    microbatch = influence.pool_chunk if route == PAIR_FREE else None
    derivative = value_and_grad(
        classifier.loss, route=route, microbatch=microbatch, target=influence.target
    )
    method = alternating(classifier, label, influence, derivative, COSTS, train, seed)
    if not influence.dropout:
        return method
    return method._replace(plan=lambda: _with_masks(method.plan(), seed))


def _with_masks(plan: Sequence[Work], seed: int) -> list[Work]:
    """Return a plan whose tuples and pools have a seed of dropout for each use of an example."""
    rng = np.random.default_rng([seed, 4])
    result = []
    for work in plan:
        if work.kind in ("tuples", "pool") and work.examples is not None:
            seeds = np.zeros(work.examples.shape, np.uint32)
            is_real = np.asarray(work.arrays["is_real"])
            seeds[is_real] = rng.integers(2**32, size=seeds[is_real].shape, dtype=np.uint32)
            work = work._replace(arrays={**work.arrays, "dropout": seeds})
        result.append(work)
    return result
