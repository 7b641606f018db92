"""The counterfactual test: whether predictions change as the confound is swapped in the text."""

from typing import NamedTuple


class Flip(NamedTuple):
    """A text whose prediction changed with the confound.

    Attributes:
      index: its row in the split that was tested, from 0.
      before: the text that the rule looks at, as it stands.
      after: the same with another confound.
      predicted_before: number of the label that the model gives the first.
      predicted_after: and the second.
    """

    index: int
    before: str
    after: str
    predicted_before: int
    predicted_after: int


class Move(NamedTuple):
    """What one swap did to one prediction.

    Attributes:
      confound_before: number of the confound as it stands.
      confound_after: of the one put in its place.
      predicted_before: number of the label predicted before.
      predicted_after: and after.
      count: texts of which that is so.
    """

    confound_before: int
    confound_after: int
    predicted_before: int
    predicted_after: int
    count: int


class Flips(NamedTuple):
    """How often the prediction changes with the confound, and nothing else.

    Attributes:
      size: texts that were swapped.
      changed: how many got another prediction.
      share: ``changed / size``.
      low: lower end of its 95 % interval (Wilson).
      high: upper end.
      examples: some of those that changed.
      moves: all texts by swap and predictions, the same prediction included.
      split: name of the split they are from.
    """

    size: int
    changed: int
    share: float
    low: float
    high: float
    examples: tuple[Flip, ...]
    moves: tuple[Move, ...] = ()
    split: str = "test"
