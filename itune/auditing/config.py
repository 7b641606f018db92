"""How thorough an audit is."""

from dataclasses import dataclass

from itune.errors import require

AUTO, ALWAYS, NEVER = "auto", "always", "never"


@dataclass(frozen=True)
class AuditConfig:
    """How thorough an audit is.

    Attributes:
      sample: the most examples whose influences on one another give the interval and the p value:
        equally many of each group, or all of a small one.
      draws: of the bootstrap and of the permutation.
      whole: whether predictions, sentences and CID are of all rows: ``always``, ``never`` (then of
        ``drawn`` rows; CID of the sample alone), or ``auto``, in this order as long as they are
        estimated to take ``minutes`` together.
      minutes: see ``whole``.
      drawn: rows of a data set that stand for it where it is not taken whole.
      probes: training rows to explain by the rows that helped and hurt, the first row of train
        being 1, or that of the table which train is a part of; where there are none, some are
        drawn.
      random_probes: how many are drawn, half of them from minority groups.
      shown: helpful rows of each probe, and harmful ones.
      swaps: the most texts in which a rule's confound is swapped.
      seed: of every draw.
      chunk: examples computed at once.
      max_length: tokens of an input, longer ones are cut; the model's limit where none.
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
    seed: int = 0
    chunk: int = 16
    max_length: int | None = None

    def __post_init__(self):
        require(self, "an integer of at least 8", lambda v: v >= 8, "sample", "drawn")
        require(self, "a positive integer", lambda v: v >= 1, "draws", "shown", "swaps", "chunk")
        require(self, "a non-negative number", lambda v: v >= 0, "minutes")
        require(self, "a non-negative integer", lambda v: v >= 0, "seed", "random_probes")
        require(self, "rows from 1, none twice", _are_rows, "probes")
        require(
            self, "an integer of at least 3 or none", lambda v: v is None or v >= 3, "max_length"
        )
        known = (AUTO, ALWAYS, NEVER)
        require(self, f"one of {', '.join(known)}", known.__contains__, "whole")


def _are_rows(values: tuple[int, ...]) -> bool:
    return len(set(values)) == len(values) and all(value >= 1 for value in values)
