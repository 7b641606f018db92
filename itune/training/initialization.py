"""The parameters that a run starts from: an encoder with its own head or a new one."""

from pathlib import Path
from typing import NamedTuple

import jax

from itune.errors import UserError
from itune.models import BertConfig, has_head, load_classifier, load_encoder
from itune.models.hf_weights import Params
from itune.models.labels import match_labels, reordered
from itune.training.corpus import Corpus
from itune.training.settings import KEPT, NEW


class Start(NamedTuple):
    """A classifier before its first step.

    Attributes:
      bert: its sizes.
      params: its parameters.
      is_finetuned: its head was there before.
    """

    bert: BertConfig
    params: Params
    is_finetuned: bool


def load_start(source: Path, corpus: Corpus, head: str, key: jax.Array) -> Start:
    """Loads an encoder, with its own head or a new one.

    A head is kept if its classes are called as the labels of the corpus, in whatever order; it is
    then brought into theirs. Where either has numbers in place of names, the order counts.

    Args:
      source: the encoder's folder.
      corpus: what it is to be trained on.
      head: ``kept``, where there is one; or ``new``.
      key: of a new head.

    Raises:
      UserError: the folder is none of a BERT, or its head is kept and has other classes.
    """
    is_finetuned = head == KEPT and has_head(source)
    if not is_finetuned or corpus.label_names is None:
        bert, params = load_encoder(source, corpus.label_count, key, new_head=head == NEW)
        return Start(bert, params, is_finetuned)
    try:
        bert, params, labels = load_classifier(source)
        classes, _ = match_labels(labels, corpus.label_names)
    except UserError as error:
        where = "" if str(source) in str(error) else f"encoder {source}: "
        raise UserError(f"{where}{error}; or set head to new, to start anew") from None
    return Start(bert, reordered(params, classes), is_finetuned)
