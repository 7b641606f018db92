"""Representer points: a logit as a sum of what each training example contributes to it."""

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.sparse.linalg import cg

from itune.attribution.attribution import Attribution, Fitted, make_attribution
from itune.attribution.checks import require_positive
from itune.attribution.chunks import map_examples, pair_matrix
from itune.attribution.embedding_similarity import FeaturesFn, make_embedding
from itune.influence import cross_entropy
from itune.influence.routes import hvp
from itune.influence.types import Example, Examples, Params

HIGHEST = jax.lax.Precision.HIGHEST

Labelled: TypeAlias = tuple[np.ndarray, np.ndarray]
"""Features ``(n, d)`` and labels ``(n,)``."""

Data: TypeAlias = tuple[jax.Array, jax.Array, float]
"""Features ``(N, d)``, labels ``(N,)`` and regularisation."""


class Representers(NamedTuple):
    """The refitted last layer (NumPy).

    Attributes:
        kernel: Weights ``W``, ``(d, classes)``; logits are ``f W``.
        alpha: Coefficients ``(N, classes)``, so that ``W = sum_i f_i alpha_i^T``.
        residual: ``|W - sum_i f_i alpha_i^T| / |W|``, what is left of the gradient; 0 for W = 0.
    """

    kernel: np.ndarray
    alpha: np.ndarray
    residual: float


def representer_points(
    features: FeaturesFn,
    label: Callable[[Example], jax.Array],
    *,
    classes: int,
    regularisation: float,
    tolerance: float | None = None,
    max_steps: int = 50,
    chunk: int = 32,
) -> Attribution:
    """Score by ``alpha_i[y] f_i . f_prb``, the part of training example i in the logit of y.

    ``f = features(params, example)`` is fixed, and a last layer W without bias is fitted to it::

        minimise  (1/N) sum_i cross_entropy(f_i W, y_i) + regularisation |W|^2

    At the minimum, and only there, ``W = sum_i f_i alpha_i^T`` with
    ``alpha_i = -1 / (2 regularisation N) d cross_entropy / d logits_i``: the scores of a probe add
    up to the logit of its label. ``fit`` therefore refits W, by Newton steps, from 0; the
    classifier that is explained is the refitted one (``info.kernel``).

    Args:
        features: ``features(params, example) -> (d,)``. Append a 1 for a bias.
        label: ``label(example) -> int``, from 0 to ``classes - 1``. To ask why another class was
            predicted, put that class in the probes' labels.
        classes: Number of classes, at least 2.
        regularisation: Positive weight of ``|W|^2``, lambda in the paper.
        tolerance: Largest ``residual`` at which W counts as fitted; None is the square root of the
            precision, 3e-4 in float32 and 1.5e-8 in float64.
        max_steps: Largest number of Newton steps; ten to twenty are usual.
        chunk: Number of examples run at once. Memory: the features of all training examples.

    Returns:
        The method; its ``info`` is a :class:`~itune.attribution.Representers`.

    Raises:
        ValueError: A setting is out of range; or, when fitting or scoring, a label is not one of
            the classes, features are not finite vectors, or W was not fitted.

    Source: Yeh, Kim, Yen & Ravikumar (2018), theorem 3.1.

    >>> method = representer_points(
    ...     lambda params, z: z["x"], lambda z: z["y"], classes=2, regularisation=0.5)
    >>> train = {"x": jnp.array([[1.0], [-1.0]]), "y": jnp.array([1, 0])}
    >>> fitted = method.fit(None, train)
    >>> scores = fitted.score({"x": jnp.array([[2.0]]), "y": jnp.array([1])})
    >>> logits = jnp.array([2.0]) @ fitted.info.kernel
    >>> bool(jnp.allclose(scores.sum(), logits[1], rtol=1e-3))
    True
    """
    if classes < 2:
        raise ValueError(f"classes must be at least 2, got {classes}")
    require_positive(regularisation=regularisation, max_steps=max_steps)
    embed = make_embedding(features, chunk)
    compiled_label = jax.jit(jax.vmap(label))

    def read(params: Params, examples: Examples, what: str) -> Labelled:
        labels = map_examples(compiled_label, examples, chunk)
        is_class = (labels >= 0) & (labels < classes)
        if not is_class.all():
            row = int(np.argmin(is_class))
            raise ValueError(
                f"the label of {what} {row} must be from 0 to {classes - 1}, one of {classes} "
                f"classes, got {labels[row]}"
            )
        return embed(params, examples, what), labels

    def fit(params: Params, train: Examples) -> Fitted:
        inputs, labels = read(params, train, "training example")
        limit = tolerance or float(jnp.finfo(inputs.dtype).eps) ** 0.5
        data = (jnp.asarray(inputs), jnp.asarray(labels), float(regularisation))
        kernel, residual = _refit(data, classes, limit, max_steps)
        alpha = np.asarray(_alpha(kernel, *data))

        def score(probes: Examples) -> np.ndarray:
            of_probes = read(params, probes, "probe")
            return pair_matrix(_contributions, of_probes, (inputs, alpha), chunk)

        return Fitted(score, Representers(kernel, alpha, residual))

    return make_attribution(fit)


def _contributions(probes: Labelled, train: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    (features, labels), (train_features, alpha) = probes, train
    return (features @ train_features.T) * alpha[:, labels].T


def _objective(
    kernel: jax.Array, features: jax.Array, labels: jax.Array, regularisation: float
) -> jax.Array:
    losses = cross_entropy(_logits(kernel, features), labels)
    return losses.mean() + regularisation * jnp.vdot(kernel, kernel, precision=HIGHEST)


def _logits(kernel: jax.Array, features: jax.Array) -> jax.Array:
    return jnp.matmul(features, kernel, precision=HIGHEST)


@jax.jit
def _alpha(
    kernel: jax.Array, features: jax.Array, labels: jax.Array, regularisation: float
) -> jax.Array:
    slopes = jax.vmap(jax.grad(cross_entropy))(_logits(kernel, features), labels)
    return -slopes / (2 * regularisation * len(labels))


_gradient = jax.jit(jax.grad(_objective))


@jax.jit
def _newton_step(
    kernel: jax.Array,
    gradient: jax.Array,
    features: jax.Array,
    labels: jax.Array,
    regularisation: float,
) -> jax.Array:
    def product(vector: jax.Array) -> jax.Array:
        return hvp(
            lambda kernel: _objective(kernel, features, labels, regularisation), kernel, vector
        )

    return cg(product, gradient, tol=1e-3, maxiter=500)[0]


def _refit(data: Data, classes: int, limit: float, max_steps: int) -> tuple[np.ndarray, float]:
    """Return the kernel after as few Newton steps as reach the limit, and its residual."""
    features, _, regularisation = data
    residual = math.inf
    kernel = np.zeros((features.shape[1], classes), features.dtype)
    for _ in range(max_steps + 1):
        gradient = np.asarray(_gradient(kernel, *data))
        # W - sum_i f_i alpha_i^T is the gradient by twice lambda.
        error = float(np.linalg.norm(gradient)) / (2 * regularisation)
        size = float(np.linalg.norm(kernel))
        if error <= limit * size:
            return kernel, error / size if size else 0.0
        residual = error / size if size else math.inf
        kernel = kernel - np.asarray(_newton_step(kernel, gradient, *data))
    raise ValueError(
        f"the last layer was not fitted in {max_steps} Newton steps, its residual is "
        f"{residual:.2g}; raise tolerance (now {limit:.2g}), max_steps or regularisation (now "
        f"{regularisation:.3g}), or use float64"
    )
