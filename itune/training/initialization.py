"""The parameters that a run starts from: an encoder with its own head or a new one."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import jax

from itune.errors import UserError
from itune.models import ModelConfig, Params, has_head, load_classifier, load_encoder
from itune.models.labels import match_labels, reordered
from itune.training.settings import KEPT, NEW


class InitialModel(NamedTuple):
    """A classifier before its first step; it is finetuned if its head came with the encoder."""

    config: ModelConfig
    params: Params
    is_finetuned: bool


def load_initial_model(
    source: Path, label_names: Sequence[str], head: str, key: jax.Array
) -> InitialModel:
    """Load an encoder, with its own head or a new one.

    A head can be kept if its classes have the names of the labels, in whatever order; it is then
    brought into their order. Where either has numbers in place of names, the order counts.
    """
    if head != KEPT or not has_head(source):
        config, params = load_encoder(source, len(label_names), key, new_head=head == NEW)
        return InitialModel(config, params, is_finetuned=False)
    try:
        config, params, labels = load_classifier(source)
        classes, _ = match_labels(labels, label_names, need_all=True)
    except UserError as error:
        where = "" if str(source) in str(error) else f"encoder {source}: "
        raise UserError(f"{where}{error}; or set head to new, to start anew") from None
    return InitialModel(config, reordered(params, classes), is_finetuned=True)
