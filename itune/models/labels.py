"""A model's classes brought into the order of a table's labels."""

import re
from collections.abc import Sequence

import numpy as np

from itune.errors import UserError
from itune.models.architecture import HEAD
from itune.models.hf_weights import Params


def match_labels(
    model: Sequence[str], table: Sequence[str], *, need_all: bool = False
) -> tuple[np.ndarray, str | None]:
    """Find the class of a model that each label of a table stands for.

    ================================  ====================================================
    names                             matched
    ================================  ====================================================
    equal, in capitals or not         by name, though the table lack some classes
    ``LABEL_0`` … of the model        by order; a note says so
    ``0``, ``1`` … of either          by number; a note says so
    ================================  ====================================================

    Return the number of each label's class, ``(K,)``, and a note for the user, or None.

    >>> match_labels(["pos", "neg", "mixed"], ["Neg", "Pos"])
    (array([1, 0]), None)
    """
    if len(model) < len(table) or len(table) < 2 or (need_all and len(model) > len(table)):
        raise _other_number(model, table)
    for same in (str.strip, lambda name: name.strip().casefold()):
        places = {same(name): place for place, name in enumerate(model)}
        wanted = [same(name) for name in table]
        if (
            len(places) == len(model)
            and len(set(wanted)) == len(table)
            and places.keys() >= {*wanted}
        ):
            return np.array([places[name] for name in wanted]), None
    numbers = [str(place) for place in range(len(model))]
    is_numbered = set(table) <= set(numbers) and "0" in table  # counted from 0, not from 1
    in_order = np.array(list(map(numbers.index, table))) if is_numbered else np.arange(len(model))
    pairs = ", ".join(
        f"{a} = {b}"
        for a, b in zip(_short([model[k] for k in in_order.tolist()]), _short(table), strict=False)
    )
    if len(model) == len(table):
        if all(re.fullmatch(rf"LABEL_{place}", name) for place, name in enumerate(model)):
            return (
                in_order,
                f"the model does not name its classes; they are taken in order: {pairs}",
            )
        if list(model) == numbers and not is_numbered:
            return in_order, f"the model numbers its classes; they are taken in order: {pairs}"
    if is_numbered:
        return in_order, f"the table's labels are taken for the numbers of classes: {pairs}"
    if len(model) > len(table) and not {*map(str.casefold, table)} & {*map(str.casefold, model)}:
        raise _other_number(model, table)
    raise UserError(
        f"the model's classes are {_listed(model)}, but the table's labels {_listed(table)}; name "
        "them alike, in the table or under id2label and label2id of the model's config.json"
    )


def _other_number(model: Sequence[str], table: Sequence[str]) -> UserError:
    return UserError(
        f"the model has {len(model)} classes ({_listed(model)}), but the table "
        f"{len(table)} {'label' if len(table) == 1 else 'labels'} ({_listed(table)}); take "
        "the data it was trained on"
    )


def reordered(params: Params, classes: np.ndarray) -> Params:
    """Return a classifier's parameters with the classes of these former numbers, ``(K,)``."""
    return params | {HEAD: {name: leaf[..., classes] for name, leaf in params[HEAD].items()}}


def absent_note(absent: Sequence[str], count: int) -> str:
    """Return a sentence on the classes, out of ``count``, that a table has no row of."""
    rows = "no row is of class" if len(absent) == 1 else "no row is of the classes"
    return (
        f"{rows} {_listed(absent)}, {len(absent)} of the model's {count}: this is of the classes "
        "that occur"
    )


SHOWN = 5
"""Number of names that a message shows."""


def _short(names: Sequence[str]) -> list[str]:
    rest = len(names) - SHOWN
    cut = [name if len(name) <= 30 else f"{name[:29]}…" for name in names[:SHOWN]]
    return [*cut, *([f"{rest} more"] if rest > 0 else [])]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(_short(names))
