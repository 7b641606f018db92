"""A BERT classifier, as methods want it."""

from itune.influence import LinenLoss, cross_entropy
from itune.methods.base import Classifier
from itune.models import BertClassifier
from itune.utils.compiling import shared


@shared
def make_classifier(model: BertClassifier) -> Classifier:
    """Return a model with its loss: the cross entropy of ``label``.

    Examples have ``input_ids``, ``attention_mask``, ``label`` and, in pairs of texts,
    ``token_type_ids``.
    """

    def loss(apply, example):
        output = apply(
            example["input_ids"], example["attention_mask"], example.get("token_type_ids")
        )
        return cross_entropy(output.logits, example["label"])

    def outputs(params, examples, dropout_key):
        return model.apply(
            {"params": params},
            examples["input_ids"],
            examples["attention_mask"],
            examples.get("token_type_ids"),
            deterministic=dropout_key is None,
            rngs=None if dropout_key is None else {"dropout": dropout_key},
        )

    return Classifier(LinenLoss(model, loss), outputs, width=model.config.hidden_size)
