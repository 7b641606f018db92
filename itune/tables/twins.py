"""Counterfactual twins of training rows: the confound's text deleted or swapped, nothing else."""

import numpy as np

from itune.errors import UserError
from itune.tables.swaps import make_swaps
from itune.tables.table import Table, Tables


def make_twins(
    tables: Tables, rows: np.ndarray, rng: np.random.Generator, method: str
) -> tuple[Table, np.ndarray]:
    """Return twins of training rows, and which of the rows have one, ``(M,)``; in order.

    A rule's words are swapped for those of another of its patterns, drawn if there are several, or
    drawn from those that it matched where there is no one partner; with a single pattern they are
    deleted, and only a prefix is put in where it is absent. Rows without a place to edit have no
    twin. ``method`` is named where no row has one, which is refused.
    """
    column, table = tables.rule_on, tables.train.take(rows)
    texts = [text for batch in table.batches() for text in batch[column]]
    swaps = make_swaps(tables, texts, is_drawn=True)

    def edited(text: str, confound: int) -> str | None:
        if swaps is None or not (targets := swaps.targets(confound)):
            return None
        return swaps.swapped(text, int(rng.choice(targets)), rng)

    after = [edited(*each) for each in zip(texts, table.confound.tolist(), strict=True)]
    has_twin = np.array([text is not None for text in after], bool)
    if not has_twin.any():
        raise UserError(
            f"method {method} takes the confound out of texts or swaps it, and finds no place of "
            f"it in {len(rows)} training rows; make it by a rule of words or a prefix, or use "
            "method balanced_sampling"
        )
    twins = table.take(np.flatnonzero(has_twin))
    return twins.with_texts(column, [text for text in after if text is not None]), rows[has_twin]
