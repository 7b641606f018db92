"""BERT with a classification head, in Flax Linen.

This differs from the usual Flax ports in:

1. Inputs may have any number of leading axes, none included, so ``jax.vmap`` over single examples
   needs no dummy batch axis.
2. Layers are written out, not scanned: each tensor is a parameter of its own, as clipping of single
   tensors and Hugging Face's names have it.
3. Every parameter belongs to an ``nn.Dense``, ``nn.Embed`` or ``nn.LayerNorm``, each called once,
   so ``nn.intercept_methods`` sees all of them.
4. No dtype is written down: computation follows the parameters, float32 or float64.
5. The last layer computes the first token alone, the only one the pooler reads; its keys and values
   still come from every token. Logits are the same, a tenth or so of the work is not done.
"""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from itune.errors import UserError
from itune.models.activations import ACTIVATIONS

_INIT = nn.initializers.normal(0.02)


@dataclasses.dataclass(frozen=True)
class BertConfig:
    """Sizes and rates of a :class:`BertClassifier`.

    Attributes:
        vocab_size: Number of tokens.
        hidden_size: Width of the residual stream; a multiple of ``num_heads``.
        num_layers: Number of encoder layers.
        num_heads: Attention heads in each layer.
        intermediate_size: Width of the feed-forward layer.
        max_positions: Longest input, in tokens.
        type_vocab_size: Number of segment ids.
        layer_norm_eps: Added to the variance in every layer normalisation.
        hidden_dropout: Rate on embeddings, residual branches and (unless ``classifier_dropout``
            says otherwise) the pooled vector.
        attention_dropout: Rate on attention probabilities.
        num_labels: Classes.
        hidden_act: ``"gelu"`` (exact, by erf), ``"gelu_new"`` (tanh approximation) or ``"relu"``.
        classifier_dropout: Rate on the pooled vector; None means ``hidden_dropout``.

    Raises:
        UserError: An unknown activation, or a width that the heads do not divide.
    """

    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    intermediate_size: int
    max_positions: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    hidden_dropout: float = 0.1
    attention_dropout: float = 0.1
    num_labels: int = 2
    hidden_act: str = "gelu"
    classifier_dropout: float | None = None

    def __post_init__(self):
        if self.hidden_act not in ACTIVATIONS:
            known = ", ".join(sorted(ACTIVATIONS))
            raise UserError(f"hidden_act {self.hidden_act!r} is not supported; use one of {known}")
        if self.hidden_size % self.num_heads:
            raise UserError(
                f"hidden_size {self.hidden_size} is not a multiple of num_heads {self.num_heads}"
            )


def layer_name(number: int) -> str:
    """The parameter subtree of encoder layer ``number``, counted from 0."""
    return f"layer_{number}"


class BertOutput(NamedTuple):
    """What :class:`BertClassifier` returns.

    Attributes:
        logits: Class scores, ``(..., num_labels)``.
        pooled: First token's state after the pooler's tanh, before dropout, ``(..., hidden_size)``.
    """

    logits: jax.Array
    pooled: jax.Array


def _dense(features, name):
    return nn.Dense(features, kernel_init=_INIT, name=name)


def _norm(config, x, name):
    return nn.LayerNorm(
        epsilon=config.layer_norm_eps,
        use_fast_variance=False,
        # Otherwise Flax asks for float64 promoted with float32, which strict promotion forbids.
        param_dtype=x.dtype,
        force_float32_reductions=jnp.finfo(x.dtype).bits < 32,
        name=name,
    )(x)


class _Embeddings(nn.Module):
    config: BertConfig
    deterministic: bool

    @nn.compact
    def __call__(self, input_ids, token_type_ids):
        c = self.config
        # One position id per token, leading axes included: each example owns all its rows.
        positions = jax.lax.broadcasted_iota(jnp.int32, input_ids.shape, input_ids.ndim - 1)
        x = nn.Embed(c.vocab_size, c.hidden_size, embedding_init=_INIT, name="word")(input_ids)
        x += nn.Embed(c.type_vocab_size, c.hidden_size, embedding_init=_INIT, name="token_type")(
            token_type_ids
        )
        x += nn.Embed(c.max_positions, c.hidden_size, embedding_init=_INIT, name="position")(
            positions
        )
        x = _norm(c, x, "norm")
        return nn.Dropout(c.hidden_dropout)(x, deterministic=self.deterministic)


class _Layer(nn.Module):
    config: BertConfig
    deterministic: bool
    num_queries: int | None = None

    @nn.compact
    def __call__(self, x, mask):
        """Return the new ``x`` of the first ``num_queries`` tokens, of all T if None.

        Args:
          x: Vectors of the tokens, ``(..., T, hidden)``.
          mask: Booleans ``(..., T)``; False marks padding.
        """
        c = self.config
        memory, x = x, x[..., : self.num_queries, :]
        a = _dense(c.hidden_size, "attention_output")(self._attend(x, memory, mask))
        x = _norm(c, x + self._drop(a, c.hidden_dropout), "attention_norm")
        h = ACTIVATIONS[c.hidden_act](_dense(c.intermediate_size, "intermediate")(x))
        h = _dense(c.hidden_size, "output")(h)
        return _norm(c, x + self._drop(h, c.hidden_dropout), "output_norm")

    def _attend(self, x, memory, mask):
        c = self.config
        heads = (c.num_heads, c.hidden_size // c.num_heads)
        q, k, v = (
            _dense(c.hidden_size, name)(source).reshape(*source.shape[:-1], *heads)
            for name, source in (("query", x), ("key", memory), ("value", memory))
        )
        scores = jnp.einsum("...thd,...shd->...hts", q, k) / heads[-1] ** 0.5
        # After the softmax's shift these underflow to exactly 0; a row with no key stays finite.
        scores = jnp.where(mask[..., None, None, :], scores, jnp.finfo(scores.dtype).min)
        probs = self._drop(jax.nn.softmax(scores, axis=-1), c.attention_dropout)
        return jnp.einsum("...hts,...shd->...thd", probs, v).reshape(x.shape)

    def _drop(self, x, rate):
        return nn.Dropout(rate)(x, deterministic=self.deterministic)


class BertClassifier(nn.Module):
    """BERT encoder, pooler and linear classifier.

    Parameters live under ``embeddings`` (``word``, ``position``, ``token_type``, ``norm``),
    ``layer_0`` and on (``query``, ``key``, ``value``, ``attention_output``, ``attention_norm``,
    ``intermediate``, ``output``, ``output_norm``), ``pooler`` and ``classifier``.

    Attributes:
        config: Sizes and rates.

    >>> config = BertConfig(vocab_size=50, hidden_size=8, num_layers=2, num_heads=2,
    ...                     intermediate_size=16)
    >>> model = BertClassifier(config)
    >>> ids = jnp.array([2, 7, 3])
    >>> params = jax.jit(model.init)(jax.random.key(0), ids, jnp.ones_like(ids))["params"]
    >>> jax.jit(model.apply)({"params": params}, ids, jnp.ones_like(ids)).logits.shape
    (2,)
    >>> params[layer_name(1)]["query"]["kernel"].shape
    (8, 8)
    """

    config: BertConfig

    @nn.compact
    def __call__(
        self,
        input_ids: jax.Array,
        attention_mask: jax.Array,
        token_type_ids: jax.Array | None = None,
        *,
        deterministic: bool = True,
    ) -> BertOutput:
        """Scores the classes of each sequence.

        Args:
            input_ids: Tokens, integers, ``(..., T)`` with any leading axes.
            attention_mask: Same shape; zero or False marks padding, whose keys get an attention
                probability of exactly 0.
            token_type_ids: Same shape; segment ids, all 0 if None.
            deterministic: False applies dropout, from the ``"dropout"`` random stream.

        Returns:
            Logits ``(..., num_labels)`` and pooled vectors ``(..., hidden_size)``.

        Raises:
            UserError: Shapes differ, or T is greater than ``max_positions``.
        """
        c = self.config
        if token_type_ids is None:
            token_type_ids = jnp.zeros_like(input_ids)
        _validate(c, input_ids.shape, attention_mask.shape, token_type_ids.shape)
        x = _Embeddings(c, deterministic, name="embeddings")(input_ids, token_type_ids)
        mask = attention_mask.astype(bool)
        for number in range(c.num_layers):
            queries = 1 if number == c.num_layers - 1 else None
            x = _Layer(c, deterministic, queries, name=layer_name(number))(x, mask)
        pooled = jnp.tanh(_dense(c.hidden_size, "pooler")(x[..., 0, :]))
        rate = c.hidden_dropout if c.classifier_dropout is None else c.classifier_dropout
        dropped = nn.Dropout(rate)(pooled, deterministic=deterministic)
        return BertOutput(_dense(c.num_labels, "classifier")(dropped), pooled)


def _validate(config, ids, mask, types):
    if not ids or ids != mask or ids != types:
        raise UserError(
            "input_ids, attention_mask and token_type_ids must have one shape (..., T); "
            f"got {ids}, {mask} and {types}"
        )
    if ids[-1] > config.max_positions:
        raise UserError(
            f"input of {ids[-1]} tokens is longer than max_positions {config.max_positions}; "
            "truncate it when tokenising"
        )
