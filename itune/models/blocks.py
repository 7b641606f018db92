"""What transformers of all families have in common: configuration, embeddings, attention, layers.

They differ from the usual Flax ports in:

1. Inputs may have any number of leading axes, none included, so ``jax.vmap`` over single examples
   needs no dummy batch axis.
2. Layers are written out, not scanned: each tensor is a parameter of its own, as clipping of single
   tensors and Hugging Face's names have it.
3. Every parameter belongs to an ``nn.Dense``, ``nn.Embed`` or ``nn.LayerNorm``, and is read by its
   calls alone, so ``nn.intercept_methods`` sees all of them.
4. No dtype is written down: computation follows the parameters, float32 or float64.
5. The last layer computes only the token that the head reads; its keys and values still come from
   every token. Logits are the same, a tenth or so of the work is not done.
"""

import dataclasses
from collections.abc import Callable
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from itune.errors import UserError
from itune.models.activations import require_activation, softmax

_INIT = nn.initializers.normal(0.02)


@dataclasses.dataclass(frozen=True)
class TransformerConfig:
    """Sizes and dropout rates that all families have in common.

    Attributes:
      vocab_size: Number of tokens.
      hidden_size: Width of the residual stream; a multiple of ``num_heads``.
      num_layers: Number of encoder layers.
      num_heads: Number of attention heads in each layer.
      intermediate_size: Width of the feed-forward layer.
      max_positions: Length of the longest input in tokens.
      type_vocab_size: Number of segment ids; 0 where there are no segments.
      layer_norm_eps: Added to the variance in every layer normalisation.
      hidden_dropout: Dropout rate of embeddings, residual branches and (unless
        ``classifier_dropout`` says otherwise) the head.
      attention_dropout: Dropout rate of attention probabilities.
      num_labels: Number of classes.
      hidden_act: ``"gelu"`` (exact, by erf), ``"gelu_new"`` (tanh approximation) or ``"relu"``.
      classifier_dropout: Dropout rate of the head; None means ``hidden_dropout``.

    Raises:
      UserError: The activation is unknown, or ``num_heads`` does not divide ``hidden_size``.
    """

    model_type: ClassVar[str]

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

    def __post_init__(self) -> None:
        require_activation("hidden_act", self.hidden_act)
        if self.hidden_size % self.num_heads:
            raise UserError(
                f"hidden_size {self.hidden_size} is not a multiple of num_heads {self.num_heads}"
            )

    @property
    def has_types(self) -> bool:
        """Whether embeddings have segments."""
        return self.type_vocab_size > 0

    @property
    def has_positions(self) -> bool:
        """Whether embeddings have positions."""
        return True

    @property
    def takes_pairs(self) -> bool:
        """Whether an input may be two texts, told apart by segments or, without, by separators."""
        return not self.has_types or self.type_vocab_size >= 2

    @property
    def reserved_positions(self) -> int:
        """Number of rows of the table of positions in front of that of the first token.

        The last of them, if there are any, is that of padding, and has the number of its token.
        """
        return 0

    @property
    def rows(self) -> int:
        """Number of rows of the table of positions."""
        return self.max_positions + self.reserved_positions

    @property
    def embedding_width(self) -> int:
        """Width of the embeddings."""
        return self.hidden_size

    @property
    def has_projection(self) -> bool:
        """Whether a dense layer projects the embeddings to ``hidden_size``."""
        return self.embedding_width != self.hidden_size

    @property
    def calls(self) -> list[int]:
        """Layers by number in the order in which they are called; each is called at least once."""
        return list(range(self.num_layers))

    @property
    def head_dropout(self) -> float:
        """Dropout rate of the head."""
        return self.hidden_dropout if self.classifier_dropout is None else self.classifier_dropout

    @property
    def pooler_rate(self) -> float:
        """Dropout rate in front of the pooler, where there is dropout."""
        return self.head_dropout


class ClassifierOutput(NamedTuple):
    """What a classifier returns.

    Attributes:
      logits: Scores of the classes, ``(..., num_labels)``.
      pooled: Vector in front of the linear head, before dropout, ``(..., hidden_size)``.
    """

    logits: jax.Array
    pooled: jax.Array


def layer_name(number: int) -> str:
    """Return the name of encoder layer ``number``, counted from 0, in the parameters."""
    return f"layer_{number}"


def dense(features: int, name: str, *, use_bias: bool = True) -> nn.Dense:
    """Return a dense layer whose weights are drawn as Hugging Face draws them."""
    return nn.Dense(features, use_bias, kernel_init=_INIT, name=name)


def embed(rows: int, features: int, name: str) -> nn.Embed:
    """Return a table whose weights are drawn as Hugging Face draws them."""
    return nn.Embed(rows, features, embedding_init=_INIT, name=name)


def norm(epsilon: float, x: jax.Array, name: str) -> jax.Array:
    """Normalise ``x`` over its last axis, with a scale and a bias."""
    return normalised(nn.LayerNorm, epsilon, x, name)


def rms_norm(epsilon: float, x: jax.Array, name: str) -> jax.Array:
    """Divide ``x`` by its root mean square over its last axis, and scale it."""
    return normalised(nn.RMSNorm, epsilon, x, name)


def normalised(
    kind: Callable[..., nn.Module], epsilon: float, x: jax.Array, name: str
) -> jax.Array:
    """Normalise ``x`` by a kind of module."""
    return kind(
        epsilon=epsilon,
        use_fast_variance=False,
        # Otherwise Flax asks for float64 promoted with float32, which strict promotion forbids.
        param_dtype=x.dtype,
        force_float32_reductions=jnp.finfo(x.dtype).bits < 32,
        name=name,
    )(x)


def positions_from_0(input_ids: jax.Array) -> jax.Array:
    """Return the place of each token in its input, ``(..., T)``.

    There is one id for each token, leading axes included, so that each example owns all its rows.
    """
    return jax.lax.broadcasted_iota(jnp.int32, input_ids.shape, input_ids.ndim - 1)


def positions_after_padding(input_ids: jax.Array, mask: jax.Array, padding: int) -> jax.Array:
    """Return the position of each token, ``(..., T)``, counted from the row after ``padding``.

    ``padding`` is the id of the padding token and also the row of its position.
    """
    is_token = mask & (input_ids != padding)
    count = jnp.cumsum(is_token, axis=-1, dtype=jnp.int32)
    return jnp.where(is_token, count, 0) + padding


class Embeddings(nn.Module):
    """Sum of word, segment and position vectors, normalised.

    Attributes:
      config: Sizes and dropout rates.
      deterministic: Whether dropout is off.
    """

    config: TransformerConfig
    deterministic: bool

    @nn.compact
    def __call__(
        self, input_ids: jax.Array, token_type_ids: jax.Array, positions: jax.Array, mask: jax.Array
    ) -> jax.Array:
        """Return the vectors of the tokens, ``(..., T, embedding_width)``."""
        c = self.config
        x = embed(c.vocab_size, c.embedding_width, "word")(input_ids)
        if c.has_types:
            x += embed(c.type_vocab_size, c.embedding_width, "token_type")(token_type_ids)
        if c.has_positions:
            x += embed(c.rows, c.embedding_width, "position")(positions)
        return self.finish(x, mask)

    def finish(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        """Return the vectors from their sums; what is there of padding does not matter."""
        del mask
        x = norm(self.config.layer_norm_eps, x, "norm")
        return nn.Dropout(self.config.hidden_dropout)(x, deterministic=self.deterministic)


def attention(scores: jax.Array, visible: jax.Array) -> jax.Array:
    """Return what each query pays to each key, ``(..., heads, queries, keys)``, which sums to 1.

    ``visible``, ``(..., queries or 1, keys)``, tells which keys a query may attend to.
    """
    # After the softmax's shift these underflow to exactly 0; a row with no key stays finite.
    least = jnp.finfo(scores.dtype).min
    return softmax(jnp.where(visible[..., None, :, :], scores, least))


def weighted(probs: jax.Array, v: jax.Array) -> jax.Array:
    """Return the sums of values ``(..., keys, heads, width)``, the heads side by side."""
    x = jnp.einsum("...hts,...shd->...thd", probs, v)
    return x.reshape(*x.shape[:-2], -1)


def checked_inputs(
    config: TransformerConfig,
    input_ids: jax.Array,
    attention_mask: jax.Array,
    token_type_ids: jax.Array | None,
) -> tuple[jax.Array, jax.Array]:
    """Return the mask as booleans, and the segment ids, all 0 if None.

    Raises:
      UserError: The three shapes differ, or an input is longer than ``max_positions``.
    """
    types = jnp.zeros_like(input_ids) if token_type_ids is None else token_type_ids
    ids, mask = input_ids.shape, attention_mask.shape
    if not ids or ids != mask or ids != types.shape:
        raise UserError(
            "input_ids, attention_mask and token_type_ids must have one shape (..., T); "
            f"got {ids}, {mask} and {types.shape}"
        )
    if ids[-1] > config.max_positions:
        raise UserError(
            f"input of {ids[-1]} tokens is longer than max_positions {config.max_positions}; "
            "truncate it when tokenising"
        )
    return attention_mask.astype(bool), types
