"""Mixed precision: label steps in bfloat16, with weights, sums and influences as they were."""

from typing import Any

import jax
import jax.numpy as jnp

from itune.methods.base import Classifier, Outputs, Params

FULL, BFLOAT16 = "full", "bfloat16"
PRECISIONS = (FULL, BFLOAT16)


def in_precision(classifier: Classifier, precision: str) -> Classifier:
    """Return a classifier that computes its outputs with dropout, label steps', in a precision.

    In ``bfloat16`` parameters are rounded on the way in; gradients, and outputs, have the dtype of
    the parameters. Outputs without dropout and the loss that influences are of stay as they are.
    """
    if precision == FULL:
        return classifier

    def outputs(params: Params, examples: dict[str, Any], dropout_key: jax.Array | None) -> Outputs:
        if dropout_key is None:
            return classifier.outputs(params, examples, None)
        dtype = jnp.result_type(*jax.tree.leaves(params))
        rounded = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), params)
        outputs = classifier.outputs(rounded, examples, dropout_key)
        return jax.tree.map(lambda leaf: leaf.astype(dtype), outputs)

    return classifier._replace(outputs=outputs)
