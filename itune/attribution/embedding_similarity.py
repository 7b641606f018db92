"""Embedding similarity: how alike the model's features of two examples are."""

from collections.abc import Callable
from typing import TypeAlias

import jax
import numpy as np

from itune.attribution.attribution import Attribution, Fitted, make_attribution
from itune.attribution.checks import require_finite_rows, require_positive
from itune.attribution.chunks import map_examples, pair_matrix
from itune.influence.types import Example, Examples, Params
from itune.utils.devices import lay_out, share_out

FeaturesFn: TypeAlias = Callable[[Params, Example], jax.Array]


def embedding_similarity(
    features: FeaturesFn, *, measure: str = "cosine", chunk: int = 32
) -> Attribution:
    """Score by the likeness of features ``f``; no label is seen, no gradient is computed.

    ============= ============================ =============================
    measure       score                        range
    ============= ============================ =============================
    ``cosine``    ``f_trn . f_prb``, of units  -1 to 1; 0 where a feature is 0
    ``dot``       ``f_trn . f_prb``            any
    ``euclidean`` ``-|f_trn - f_prb|``         0 at most
    ============= ============================ =============================

    With the features before a linear classifier, the cosine is the influence of two examples of one
    label restricted to that label's weights: what embedding tuning uses.

    Args:
        features: ``features(params, example) -> (d,)``, such as a pooled output.
        measure: ``"cosine"``, ``"dot"`` or ``"euclidean"``.
        chunk: Number of examples run, and compared, at once.

    Returns:
        The method, without ``info``.

    Raises:
        ValueError: The measure is unknown; or, when fitting or scoring, features are not vectors,
            or not finite.

    >>> import jax.numpy as jnp
    >>> method = embedding_similarity(lambda params, z: params * z)
    >>> train = jnp.array([[2.0, 0.0], [0.0, 5.0], [-1.0, 0.0]])
    >>> method.fit(1.0, train).score(jnp.array([[3.0, 0.0]])).tolist()
    [[1.0, 0.0, -1.0]]
    """
    if measure not in _MEASURES:
        raise ValueError(f"measure must be one of {', '.join(_MEASURES)}, got {measure!r}")
    embed = make_embedding(features, chunk)

    def fit(params: Params, train: Examples) -> Fitted:
        of_train = embed(params, train, "training example")

        def score(probes: Examples) -> np.ndarray:
            of_probes = embed(params, probes, "probe")
            return pair_matrix(_MEASURES[measure], of_probes, of_train, chunk)

        return Fitted(score)

    return make_attribution(fit)


def make_embedding(
    features: FeaturesFn, chunk: int
) -> Callable[[Params, Examples, str], np.ndarray]:
    """Build ``fun(params, examples, what) -> (n, d)``, with ``what`` naming one in an error."""
    require_positive(chunk=chunk)
    compiled = jax.jit(jax.vmap(features, (None, 0)))

    def fun(params: Params, examples: Examples, what: str) -> np.ndarray:
        laid_out = lay_out(params)
        rows = map_examples(lambda z: compiled(laid_out, share_out(z)), examples, chunk)
        if rows.ndim != 2:
            raise ValueError(
                f"features of one example must be a vector (d,), got shape {rows.shape[1:]}"
            )
        require_finite_rows(np.isfinite(rows).all(axis=1), f"feature vector of {what}")
        return rows

    return fun


def _dot(probes: np.ndarray, train: np.ndarray) -> np.ndarray:
    return probes @ train.T


def _cosine(probes: np.ndarray, train: np.ndarray) -> np.ndarray:
    return _dot(_units(probes), _units(train))


def _euclidean(probes: np.ndarray, train: np.ndarray) -> np.ndarray:
    return -np.linalg.norm(probes[:, None, :] - train[None, :, :], axis=-1)


def _units(rows: np.ndarray) -> np.ndarray:
    """Scale rows to length one, by way of size one lest squares underflow; a row of zeros stays."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    rows = rows / np.where(largest > 0, largest, 1).astype(rows.dtype)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1).astype(rows.dtype)


_MEASURES = {"cosine": _cosine, "dot": _dot, "euclidean": _euclidean}
