"""Scores do not depend on the number of devices."""

import numpy as np
import pytest

from itune.attribution import (
    conjugate_gradients,
    embedding_similarity,
    gradient_cosine,
    gradient_product,
    influence_functions,
    relatif,
    representer_points,
    tracin,
)
from tests.helpers.attribution_cases import MODEL, linen_loss, net
from tests.helpers.many_devices import on_devices


def features(params, z):
    return MODEL.apply({"params": params}, z["x"])


def label(z):
    return z["y"]


INFLUENCE = influence_functions(
    linen_loss, damping=1.5, solver=conjugate_gradients(tolerance=1e-12), chunk=2
)
METHODS = {
    "cosine": gradient_cosine(linen_loss, chunk=2),
    "product": gradient_product(linen_loss, chunk=2),
    "tracin": tracin(linen_loss, [0.1], chunk=2),
    "influence": INFLUENCE,
    "relatif": relatif(INFLUENCE, variant="theta"),
    "embedding": embedding_similarity(features, chunk=2),
    "representers": representer_points(features, label, classes=3, regularisation=0.5, chunk=2),
}


@pytest.mark.parametrize(
    ("name", "counts"), [(name, (3, 4) if name == "influence" else (3,)) for name in METHODS]
)
def test_as_on_one_device(name, counts):
    """20 training examples and 5 probes; on 3 and on 4 devices chunks come out even and uneven."""
    problem = net()
    params = [problem.params] if name == "tracin" else problem.params

    def scores():
        return METHODS[name].fit(params, problem.train).score(problem.probes)

    expected = scores()
    for count in counts:
        with on_devices(count):
            np.testing.assert_allclose(scores(), expected, rtol=1e-9, atol=1e-10)
