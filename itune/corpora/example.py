"""The one record every data set here is made of."""

from typing import NamedTuple


class Example(NamedTuple):
    """One labelled sentence with a known confound.

    Attributes:
      tokens: the words of the input, as the model's tokenizer will receive them.
      label: the class to predict, counted from 0.
      confound: the value of the feature the model should not lean on, counted from 0.
      length: how long the sentence was meant to be, in tokens and without any prefix; it may
        exceed ``len(tokens)`` where the source sentence had no more to give.
    """

    tokens: tuple[str, ...]
    label: int
    confound: int
    length: int
