"""An encoder that has learnt nothing yet, with a vocabulary of its own."""

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

import jax
import jax.numpy as jnp

from itune.models.bert import BertClassifier, BertConfig
from itune.models.folder import save_classifier

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def write_fresh_encoder(
    folder: str | Path,
    texts: Iterable[str],
    *,
    width: int = 16,
    layers: int = 1,
    heads: int = 2,
    max_positions: int = 64,
    seed: int = 0,
) -> Path:
    """Writes a small BERT with random weights that knows the words of some texts.

    It has no pretraining, and so is no match for a real encoder; but it trains in seconds, to try
    things out.

    Args:
      folder: where to; absent or empty.
      texts: each word that they hold, split at white space and punctuation, is a token.
      width: of its vectors.
      layers: how many.
      heads: of attention; they divide ``width``.
      max_positions: tokens that it can read.
      seed: of the weights.

    Returns:
      The folder.

    Raises:
      UserError: the folder is taken, or the sizes do not fit together.
    """
    vocabulary = [*SPECIAL, *sorted(_words(texts) - set(SPECIAL))]
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=width,
        num_layers=layers,
        num_heads=heads,
        intermediate_size=4 * width,
        max_positions=max_positions,
    )
    ids = jnp.zeros(3, jnp.int32)
    params = jax.jit(BertClassifier(config).init)(jax.random.key(seed), ids, ids)["params"]
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer = Path(scratch)
        (tokenizer / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
        about = {"do_lower_case": True, "tokenizer_class": "BertTokenizer"}
        (tokenizer / "tokenizer_config.json").write_text(json.dumps(about), encoding="utf-8")
        save_classifier(folder, config, params, tokenizer, has_head=False)
    return Path(folder)


def _words(texts: Iterable[str]) -> set[str]:
    """What BERT's uncased tokenizer splits texts into before it cuts words."""
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    normalise, split = BertNormalizer(lowercase=True).normalize_str, BertPreTokenizer()
    return {word for text in texts for word, _ in split.pre_tokenize_str(normalise(text))}
