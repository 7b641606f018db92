"""Explanations of the words of a page."""

TERMS = {
    "influence": (
        "How much learning one training example helps with another: the cosine of the gradients "
        "of their losses, from -1 to 1. Below 0 it hurts."
    ),
    "confound": "What the model should not go by, such as a brand name in a review.",
    "CID": (
        "Confound influence difference: the mean influence of training examples of the same label "
        "and the same confound, minus that of examples of the same label and another confound. 0 "
        "where the model does not tell confounds apart; the further above 0, the more it goes by "
        "them."
    ),
    "group": (
        "All examples of one label and one confound. The worst group is that of the lowest "
        "accuracy: often the one where the confound points to another label."
    ),
    "interval": (
        "With 95 % confidence: were all of this repeated on other data of the same kind, 95 of 100 "
        "intervals made like this one would hold the true value."
    ),
    "round": (
        "A few updates that make up the influence phase: they lower the influence difference "
        "itself, and leave the labels to the label steps between the rounds."
    ),
}


def terms(*names: str) -> tuple[tuple[str, str], ...]:
    """Return some terms of :data:`TERMS` with their texts, in the order of ``names``."""
    return tuple((name, TERMS[name]) for name in names)
