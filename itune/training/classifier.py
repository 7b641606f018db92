"""A model of :mod:`itune.models` as methods see it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax

from itune.influence import LinenLoss, cross_entropy
from itune.methods.base import Classifier, Outputs, Params
from itune.models import ModelConfig, make_model
from itune.utils.compiling import memoized


@memoized
def make_classifier(config: ModelConfig) -> Classifier:
    """Return the model of a configuration, with the cross entropy of ``label`` for its loss.

    The loss is in nats, and has dropout where the example has a ``dropout``, a seed. Inputs are
    ``input_ids``, ``attention_mask`` and, for pairs of texts, ``token_type_ids``.
    """
    model = make_model(config)

    def called(
        apply: Callable[..., Any], examples: dict[str, Any], dropout_key: jax.Array | None
    ) -> Outputs:
        return apply(
            examples["input_ids"],
            examples["attention_mask"],
            examples.get("token_type_ids"),
            deterministic=dropout_key is None,
            rngs=None if dropout_key is None else {"dropout": dropout_key},
        )

    def loss(apply: Callable[..., Any], example: dict[str, Any]) -> jax.Array:
        seed = example.get("dropout")
        key = None if seed is None else jax.random.key(seed)
        return cross_entropy(called(apply, example, key).logits, example["label"])

    def outputs(params: Params, examples: dict[str, Any], dropout_key: jax.Array | None) -> Outputs:
        return called(partial(model.apply, {"params": params}), examples, dropout_key)

    checked = LinenLoss(model, loss, check=False)  # by the tests of the registry
    return Classifier(checked, outputs, width=config.hidden_size)
