"""Numbers of words of a text: at least one of some quantiles."""

from collections.abc import Iterator

import numpy as np

from itune.discovery.features.base import Found, Rows, is_common, of_rule

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


def find(rows: Rows, minimum: int) -> Iterator[Found]:
    """Yield ``length:>=n`` for each n that is a quantile of the rows' lengths."""
    for column, texts in rows.texts.items():
        lengths = np.array([len(text.split()) for text in texts])
        bounds = np.unique(np.quantile(lengths, QUANTILES, method="higher"))
        for bound in bounds.tolist():
            having = np.flatnonzero(lengths >= bound)
            if is_common(len(having), rows.size, minimum):
                name = f"{bound} words or more"
                yield of_rule("lengths", name, f"length:>={bound}", column), having
