"""A small encoder with random weights and a vocabulary of its own."""

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

import jax
import jax.numpy as jnp

from itune.models.bert import BertClassifier, BertConfig
from itune.models.saving import save_classifier

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def write_random_encoder(
    folder: str | Path,
    texts: Iterable[str],
    *,
    width: int = 16,
    layers: int = 1,
    heads: int = 2,
    max_positions: int = 64,
    seed: int = 0,
) -> Path:
    """Write a small BERT with random weights, whose tokens are the words of some texts.

    It is not pretrained, and so no match for a real encoder, but trains in seconds, to try things
    out.

    Args:
      folder: Folder to write; absent or empty.
      texts: Texts, whose words, split at white space and punctuation, are the tokens.
      width: Width of the vectors.
      layers: Number of layers.
      heads: Number of attention heads; divides ``width``.
      max_positions: Length of the longest input in tokens.
      seed: Seed of the weights; an integer from 0 to 2**32 - 1.

    Returns:
      The folder.

    Raises:
      UserError: The folder is not empty, or ``heads`` does not divide ``width``.
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
    """Return what BERT's uncased tokenizer splits texts into before it splits words."""
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    normalise, split = BertNormalizer(lowercase=True).normalize_str, BertPreTokenizer()
    return {word for text in texts for word, _ in split.pre_tokenize_str(normalise(text))}
