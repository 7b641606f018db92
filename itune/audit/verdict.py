"""The verdict of an audit."""

from typing import Literal, NamedTuple

LEANS, NO_SIGN, UNSETTLED = "leans", "no_sign", "unsettled"


class Verdict(NamedTuple):
    """What an audit comes to, in words.

    Attributes:
      kind: ``"leans"``, ``"no_sign"`` or ``"unsettled"``.
      headline: one sentence.
      reasons: sentences with the numbers behind it.
    """

    kind: Literal["leans", "no_sign", "unsettled"]
    headline: str
    reasons: tuple[str, ...]
