"""Representer points: a logit as a sum of what each training example contributes to it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.sparse.linalg import cg

from itune.attribution.attribution import Attribution, Fitted, make_attribution
from itune.attribution.checks import require_positive
from itune.attribution.chunks import map_examples, pair_matrix
from itune.attribution.embedding_similarity import Features, make_embedding
from itune.influence.objective import cross_entropy
from itune.influence.routes import hvp

HIGHEST = jax.lax.Precision.HIGHEST


class Representers(NamedTuple):
    """The refitted last layer (NumPy).

    Attributes:
        kernel: ``W``, ``(d, classes)``; logits are ``f W``.
        alpha: ``(N, classes)``, so that ``W = sum_i f_i alpha_i^T``.
        residual: ``|W - sum_i f_i alpha_i^T| / |W|``, what is left of the gradient; 0 for W = 0.
    """

    kernel: np.ndarray
    alpha: np.ndarray
    residual: float


def representer_points(
    features: Features,
    label: Callable[[Any], jax.Array],
    *,
    classes: int,
    regularisation: float,
    tolerance: float | None = None,
    max_steps: int = 50,
    chunk: int = 32,
) -> Attribution:
    """Scores by ``alpha_i[y] f_i . f_prb``, the part of training example i in the logit of y.

    ``f = features(params, example)`` is fixed, and a last layer W without bias is fitted to it::

        minimise  (1/N) sum_i cross_entropy(f_i W, y_i) + regularisation |W|^2

    At the minimum, and only there, ``W = sum_i f_i alpha_i^T`` with
    ``alpha_i = -1 / (2 regularisation N) d cross_entropy / d logits_i``: the scores of a probe add
    up to the logit of its label. ``fit`` therefore refits W, by Newton steps, from 0; the
    classifier that is explained is the refitted one (``info.kernel``).

    Args:
        features: ``features(params, example) -> (d,)``. Append a 1 for a bias.
        label: ``label(example) -> int``. To ask why another class was predicted, put that in the
            probes' labels.
        classes: of the labels.
        regularisation: lambda in the paper; positive.
        tolerance: the ``residual`` at which W counts as fitted; None is the square root of the
            precision, 3e-4 in float32 and 1.5e-8 in float64.
        max_steps: Newton steps, at most; ten to twenty are usual.
        chunk: examples run at once. Memory: the features of all training examples.

    Returns:
        The method; ``info`` is a :class:`Representers`.

    Raises:
        ValueError: a setting is out of range, a label is not one of the classes, features are not
            finite vectors, or W was not fitted.

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
        raise ValueError(f"classes is {classes}; it must be at least 2")
    require_positive(regularisation=regularisation, max_steps=max_steps)
    embed = make_embedding(features, chunk)
    compiled_label = jax.jit(jax.vmap(label))

    def read(params, examples, what):
        """Features and labels."""
        labels = map_examples(compiled_label, examples, chunk)
        is_class = (labels >= 0) & (labels < classes)
        if not is_class.all():
            row = int(np.argmin(is_class))
            raise ValueError(
                f"the label of {what} {row} is {labels[row]}; with classes={classes} it must be "
                f"0 to {classes - 1}"
            )
        return embed(params, examples, what), labels

    def fit(params, train):
        inputs, labels = read(params, train, "training example")
        limit = tolerance or float(jnp.finfo(inputs.dtype).eps) ** 0.5
        data = (jnp.asarray(inputs), jnp.asarray(labels), float(regularisation))
        kernel, residual = _refit(data, classes, limit, max_steps)
        alpha = np.asarray(_alpha(kernel, *data))

        def score(probes):
            probe = read(params, probes, "probe")
            return pair_matrix(_contributions, probe, (inputs, alpha), chunk)

        return Fitted(score, Representers(kernel, alpha, residual))

    return make_attribution(fit)


def _contributions(probes, train):
    (features, labels), (train_features, alpha) = probes, train
    return (features @ train_features.T) * alpha[:, labels].T


def _objective(kernel, features, labels, regularisation):
    losses = cross_entropy(_logits(kernel, features), labels)
    return losses.mean() + regularisation * jnp.vdot(kernel, kernel, precision=HIGHEST)


def _logits(kernel, features):
    return jnp.matmul(features, kernel, precision=HIGHEST)


@jax.jit
def _alpha(kernel, features, labels, regularisation):
    slopes = jax.vmap(jax.grad(cross_entropy))(_logits(kernel, features), labels)
    return -slopes / (2 * regularisation * len(labels))


_gradient = jax.jit(jax.grad(_objective))


@jax.jit
def _newton_step(kernel, gradient, *data):
    def product(vector):
        return hvp(lambda kernel: _objective(kernel, *data), kernel, vector)

    return cg(product, gradient, tol=1e-3, maxiter=500)[0]


def _refit(data, classes: int, limit: float, max_steps: int) -> tuple[np.ndarray, float]:
    """The kernel after as few Newton steps as reach the limit, and its residual."""
    features, _, regularisation = data
    kernel = np.zeros((features.shape[1], classes), features.dtype)
    for _ in range(max_steps + 1):
        gradient = np.asarray(_gradient(kernel, *data))
        # W - sum_i f_i alpha_i^T is the gradient by twice lambda.
        error = float(np.linalg.norm(gradient)) / (2 * regularisation)
        size = float(np.linalg.norm(kernel))
        if error <= limit * size:
            return kernel, error / size if size else 0.0
        kernel = kernel - np.asarray(_newton_step(kernel, gradient, *data))
    raise ValueError(
        f"the last layer was not fitted in {max_steps} Newton steps, its residual is "
        f"{error / size:.2g}; raise tolerance (now {limit:.2g}), max_steps or regularisation (now "
        f"{regularisation:.3g}), or use float64"
    )
