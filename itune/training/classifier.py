"""A model of :mod:`itune.models` as methods see it."""

from collections.abc import Callable
from typing import Any, cast

import jax

from itune.influence import LinenLoss, cross_entropy
from itune.methods.base import Classifier, Outputs, Params
from itune.models import ModelConfig, make_model
from itune.utils.compiling import memoized


@memoized
def make_classifier(config: ModelConfig) -> Classifier:
    """Return the model of a configuration, with the cross entropy of ``label`` for its loss.

    The loss is in nats. Inputs are ``input_ids``, ``attention_mask`` and, for pairs of texts,
    ``token_type_ids``.
    """
    model = make_model(config)

    def loss(apply: Callable[..., Outputs], example: dict[str, Any]) -> jax.Array:
        output = apply(
            example["input_ids"], example["attention_mask"], example.get("token_type_ids")
        )
        return cross_entropy(output.logits, example["label"])

    def outputs(params: Params, examples: dict[str, Any], dropout_key: jax.Array | None) -> Outputs:
        output = model.apply(
            {"params": params},
            examples["input_ids"],
            examples["attention_mask"],
            examples.get("token_type_ids"),
            deterministic=dropout_key is None,
            rngs=None if dropout_key is None else {"dropout": dropout_key},
        )
        return cast(Outputs, output)  # nothing is mutable, so there is no other result

    checked = LinenLoss(model, loss, check=False)  # by the tests of the registry
    return Classifier(checked, outputs, width=config.hidden_size)
