"""What every attribution method is: ``fit`` on a training set, then ``score`` any probes.

Sign, of every method in this package: **larger = the training example helped the probe**. Where a
score predicts a change, it is how much the probe's loss is lower, or the logit of its label higher,
for having trained on the example; where it measures likeness, more alike is larger. Below 0 the
example harmed.

Examples are pytrees of arrays with a leading axis, ``train`` of N and ``probes`` of P rows; one
example has no such axis. A loss is any ``loss(params, example) -> scalar``, a
:class:`~itune.influence.LinenLoss` included.

Work is done on ``chunk`` examples at once on each device, which bounds the memory and does not
change the result. The loops over chunks run on the host. Each factory compiles what its loops call,
once: fitting again and scoring other probes reuse it, as long as the shapes of the chunks stay.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from itune.attribution.checks import require_examples, require_finite, require_positive
from itune.attribution.chunks import pair_matrix
from itune.influence.types import Examples, Params
from itune.utils.devices import lay_out, share_out


class Fitted(NamedTuple):
    """A method fitted to N training examples.

    Attributes:
        score: ``score(probes) -> (P, N)``, a NumPy array whose ``[p, i]`` says how much training
            example i helped probe p. It raises ValueError, naming an example, where a score would
            be NaN or infinite.
        info: A by-product of fitting, described by the factories that have one, or None.
    """

    score: Callable[[Examples], np.ndarray]
    info: Any = None


class Attribution(NamedTuple):
    """An attribution method, from a factory such as :func:`~itune.attribution.gradient_cosine`.

    ================================== =====================================================
    edge case                          what happens
    ================================== =====================================================
    a NaN or infinite score            ``ValueError`` naming a probe and a training example
    no training example, or no probe   ``ValueError``
    leaves of unequal leading axes     ``ValueError`` with their shapes
    a chunk larger than the data       the data are one chunk
    a last chunk that is not full      padded, and the padding dropped: one compilation
    ================================== =====================================================

    Attributes:
        fit: ``fit(params, train) -> Fitted``, with a trained model's parameters and N training
            examples. TracIn takes a sequence of checkpoints for ``params``.

    >>> import jax.numpy as jnp
    >>> from itune.attribution import gradient_product
    >>> method = gradient_product(lambda w, z: 0.5 * (w @ z["x"] - z["y"]) ** 2)
    >>> train = {"x": jnp.array([[1.0, 0.0], [1.0, 1.0]]), "y": jnp.array([1.0, -3.0])}
    >>> probes = {"x": jnp.array([[2.0, 0.0]]), "y": jnp.array([1.0])}
    >>> method.fit(jnp.zeros(2), train).score(probes).tolist()
    [[2.0, -6.0]]
    """

    fit: Callable[[Params, Examples], Fitted]


def make_attribution(fit: Callable[[Params, Examples], Fitted]) -> Attribution:
    """Make a method of a bare ``fit``, with the checks that all methods share."""

    def checked_fit(params: Params, train: Examples) -> Fitted:
        require_examples(train, "train")
        fitted = fit(params, train)

        def score(probes: Examples) -> np.ndarray:
            require_examples(probes, "probes")
            return require_finite(fitted.score(probes))

        return fitted._replace(score=score)

    return Attribution(checked_fit)


def pairwise(
    scores: Callable[[Params, Examples, Examples], jax.Array], *, chunk: int
) -> Attribution:
    """Make a method of a pure ``scores(params, probes, train) -> (P, N)``.

    Gradients are made for each pair of chunks: ``2 P N / chunk`` of them in all.
    """
    require_positive(chunk=chunk)
    compiled = jax.jit(scores)

    def fit(params: Params, train: Examples) -> Fitted:
        laid_out = lay_out(params)

        def of_chunks(probes: Examples, train: Examples) -> jax.Array:
            return compiled(laid_out, share_out(probes), share_out(train))

        def score(probes: Examples) -> np.ndarray:
            return pair_matrix(of_chunks, probes, train, chunk)

        return Fitted(score)

    return make_attribution(fit)
