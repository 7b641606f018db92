"""How thorough an audit is."""

from dataclasses import dataclass

from itune.errors import require
from itune.utils.suggestions import require_one_of

AUTO, ALWAYS, NEVER = "auto", "always", "never"
LEAVE, DRAW = "leave", "draw"


@dataclass(frozen=True)
class AuditConfig:
    """How thorough an audit is.

    Attributes:
      sample: Number of training rows whose influences on one another give the interval and the p
        value of CID: equally many of each group, or all rows of a small group.
      draws: Number of permutations behind the p value of CID.
      whole: Whether predictions, explanations and CID use all rows: ``always``; ``never``, so that
        predictions and explanations use ``drawn`` rows and CID uses the sample alone; or ``auto``,
        which takes them whole in this order as long as the estimated times sum to at most
        ``minutes``.
      minutes: Minutes that ``auto`` may spend on using all rows.
      drawn: Number of rows drawn from each split where not all rows are used.
      probes: Training rows to explain by the rows that helped and harmed, counted from 1 in train,
        or in the table that train is a part of. Some rows are drawn if none is named.
      random_probes: Number of probes drawn if none is named, half of them from minority groups.
      shown: Number of helpful rows shown for each probe, and of harmful rows.
      swaps: Number of texts, at most, in which the confound of a rule is swapped.
      unpaired: What becomes of texts with a word that has no partner in the other confound's list,
        which is the word at the same place of a list as long, or its only word: ``leave`` leaves
        them out of the swaps; ``draw`` puts in a word drawn from those that the other pattern
        matched in train.
      seed: Seed of the random generators; a non-negative integer.
      chunk: Number of examples computed at once.
      max_length: Tokens that an input is truncated to; none uses the limit of the model.
    """

    sample: int = 400
    draws: int = 2000
    whole: str = AUTO
    minutes: float = 10.0
    drawn: int = 4000
    probes: tuple[int, ...] = ()
    random_probes: int = 6
    shown: int = 3
    swaps: int = 1000
    unpaired: str = LEAVE
    seed: int = 0
    chunk: int = 16
    max_length: int | None = None

    def __post_init__(self):
        require(self, "an integer of at least 8", lambda v: v >= 8, "sample", "drawn")
        require(self, "a positive integer", lambda v: v >= 1, "draws", "shown", "swaps", "chunk")
        require(self, "a non-negative number", lambda v: v >= 0, "minutes")
        require(self, "a non-negative integer", lambda v: v >= 0, "seed", "random_probes")
        require(self, "different row numbers from 1", _are_rows, "probes")
        is_length = "an integer of at least 3 or none"
        require(self, is_length, lambda v: v is None or v >= 3, "max_length")
        require_one_of(self, whole=(AUTO, ALWAYS, NEVER), unpaired=(LEAVE, DRAW))


def _are_rows(values: tuple[int, ...]) -> bool:
    return len(set(values)) == len(values) and all(value >= 1 for value in values)
