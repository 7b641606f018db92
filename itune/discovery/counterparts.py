"""Counterparts of words: what stands in the same places, and speaks for another label.

A word is swapped for another candidate of its slot, such as one word or the first word of a text,
that speaks for another label and whose neighbours are the most like its own. Neighbours of a word
are the words before and after it in some texts, with numbers: the square root of how often, times
``log((words of the slot + 1) / those that have this neighbour)``. Alike is the cosine of these.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from scipy.sparse import csr_matrix, diags

from itune.discovery.candidates import Candidates
from itune.discovery.features import STANDING
from itune.discovery.features.base import Feature, Rows, whole
from itune.discovery.features.words import words_of
from itune.tables.swaps import with_capitals_of

ALIKE = 0.2
"""Cosine below which two words do not stand in the same places."""

TEXTS, OWN = 4000, 200
"""Texts whose words' neighbours are counted: of all, and further ones that have a feature."""


def with_counterparts(
    features: Sequence[Feature],
    candidates: Candidates,
    usual: np.ndarray,
    rows: Rows,
    screened: np.ndarray,
) -> list[Feature]:
    """Return features with what they are swapped for, where candidates hold such a thing.

    ``usual`` are the labels that candidates speak for, and ``screened`` the rows whose texts are
    looked at. A pair is swapped where both its parts are.
    """
    parts = [part for feature in features for part in feature.parts or (feature,) if part.slot]
    slots = dict.fromkeys((part.kind, part.text, part.slot) for part in parts)
    found: dict[tuple[str, str], Feature] = {}
    for kind, column, slot in slots:
        places = [
            place
            for place, other in enumerate(candidates.features)
            if (other.kind, other.text, other.slot) == (kind, column, slot)
        ]
        others = [candidates.features[place] for place in places]
        surfaces = {other.surface: number for number, other in enumerate(others)}
        wanted = [
            surfaces[part.surface]
            for part in parts
            if (part.kind, part.text, part.slot) == (kind, column, slot)
        ]
        own = [np.intersect1d(candidates.having(places[one]), screened)[:OWN] for one in wanted]
        some = np.unique(np.concatenate([screened[:TEXTS], *own]))
        texts = [rows.texts[column][row] for row in some.tolist()]
        standing = (one for text in texts for one in STANDING[kind](words_of(text), slot))
        alike = _alike(surfaces, standing)
        for one in wanted:
            score = np.asarray((alike[one] @ alike.T).todense())[0]
            score[usual[places] == usual[places[one]]] = 0
            found[others[one].name, column] = _swapping(others[one], others, score)
    return [_with_parts(feature, found) for feature in features]


def _swapping(feature: Feature, others: Sequence[Feature], score: np.ndarray) -> Feature:
    """Return a word that is swapped for the most similar one, if there is any."""
    other = others[int(np.argmax(score))]
    if score.max() < ALIKE:
        return feature
    swap = _swap(str(feature.pattern), feature.surface, other.surface)
    return feature._replace(counterpart=f'"{other.surface}"', swap=swap)


def _swap(pattern: str, surface: str, other: str) -> Callable[[str], str]:
    """Return a function that puts a word in the place of another, with its capitals."""

    def put(found: re.Match[str]) -> str:
        old, new = found[0].split(), other.split()
        if len(old) != len(new):
            old, new = [found[0]], [other]
        return " ".join(map(with_capitals_of, old, new))

    def replace(found: re.Match[str]) -> str:
        return re.sub(f"(?i:{whole(surface)})", put, found[0])

    return lambda text: re.sub(pattern, replace, text)


def _with_parts(feature: Feature, found: dict[tuple[str, str], Feature]) -> Feature:
    if not feature.parts:
        return found.get((feature.name, feature.text), feature)
    first, second = (found.get((part.name, part.text), part) for part in feature.parts)
    if first.swap is None or second.swap is None:
        return feature
    one, other = first.swap, second.swap
    return feature._replace(
        counterpart=f"{first.counterpart} and {second.counterpart}",
        swap=lambda text: other(one(text)),
    )


def _alike(surfaces: dict[str, int], standing: Iterable[tuple[str, str, str]]) -> csr_matrix:
    """Return unit vectors of words' neighbours, ``(words, neighbours)``; zeros without any."""
    counts: Counter[tuple[int, str]] = Counter()
    for surface, before, after in standing:
        if surface in surfaces:
            counts[surfaces[surface], f"<{before}"] += 1
            counts[surfaces[surface], f">{after}"] += 1
    names = {name: number for number, name in enumerate(dict.fromkeys(name for _, name in counts))}
    places = [place for place, _ in counts], [names[name] for _, name in counts]
    matrix = csr_matrix((np.sqrt([*counts.values()]), places), (len(surfaces), len(names)))
    having = np.maximum(np.diff(matrix.tocsc().indptr), 1)
    matrix = csr_matrix(matrix @ diags(np.log((len(surfaces) + 1) / having)))
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1))[:, 0])
    return csr_matrix(diags(1 / np.where(norms > 0, norms, np.inf)) @ matrix)
