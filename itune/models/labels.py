"""A model's classes brought into the order of a table's labels."""

import re
from collections.abc import Sequence

import numpy as np

from itune.errors import UserError
from itune.models.architecture import HEAD
from itune.models.hf_weights import Params


def match_labels(model: Sequence[str], table: Sequence[str]) -> tuple[np.ndarray, str | None]:
    """Find the class of a model that each label of a table stands for.

    ================================  ====================================================
    names                             matched
    ================================  ====================================================
    equal, in capitals or not         by name
    ``LABEL_0`` … of the model        by order; a note says so
    ``0``, ``1`` … of either          by number; a note says so
    ================================  ====================================================

    Args:
      model: Names of the model's classes, by number.
      table: Names of the table's labels, by number.

    Returns:
      The number of each label's class, ``(K,)``, and a note for the user, or None.

    Raises:
      UserError: There are more or fewer labels than classes, or their names do not match.

    >>> match_labels(["pos", "neg"], ["Neg", "Pos"])
    (array([1, 0]), None)
    """
    if len(model) != len(table):
        raise UserError(
            f"the model has {len(model)} classes ({_listed(model)}), but the table "
            f"{len(table)} {'label' if len(table) == 1 else 'labels'} ({_listed(table)}); take "
            "the data it was trained on"
        )
    for same in (str.strip, lambda name: name.strip().casefold()):
        places = {same(name): place for place, name in enumerate(model)}
        wanted = [same(name) for name in table]
        if len(places) == len(model) and places.keys() == set(wanted):
            return np.array([places[name] for name in wanted]), None
    in_order = np.arange(len(model))
    pairs = ", ".join(f"{a} = {b}" for a, b in zip(_short(model), _short(table), strict=False))
    if all(re.fullmatch(rf"LABEL_{place}", name) for place, name in enumerate(model)):
        return in_order, f"the model does not name its classes; they are taken in order: {pairs}"
    if list(table) == [str(place) for place in in_order]:
        return in_order, f"the table's labels are taken for the numbers of classes: {pairs}"
    if list(model) == [str(place) for place in in_order]:
        return in_order, f"the model numbers its classes; they are taken in order: {pairs}"
    raise UserError(
        f"the model's classes are {_listed(model)}, but the table's labels {_listed(table)}; name "
        "them alike, in the table or under id2label and label2id of the model's config.json"
    )


def reordered(params: Params, classes: np.ndarray) -> Params:
    """Return the parameters of a classifier with its classes in another order.

    Args:
      params: Parameters of a classifier.
      classes: The former number of each class, ``(K,)``.
    """
    head = params[HEAD]
    head = head | {"kernel": head["kernel"][:, classes], "bias": head["bias"][classes]}
    return params | {HEAD: head}


SHOWN = 5
"""Number of names that a message shows."""


def _short(names: Sequence[str]) -> list[str]:
    rest = len(names) - SHOWN
    cut = [name if len(name) <= 30 else f"{name[:29]}…" for name in names[:SHOWN]]
    return [*cut, *([f"{rest} more"] if rest > 0 else [])]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(_short(names))
