"""Tiny modules that use layers in every way the influence engine covers."""

import jax.numpy as jnp
from flax import linen as nn

TAPS = {"tap_in": 0, "tap_out": 0}
POSITIONS, WIDTH, CLASSES = 3, 16, 3  # a kernel (16, 16) at 3 positions stays factored as Outer
SEQUENCE = (POSITIONS, WIDTH)


def norm(kind, x):
    """Normalise x, without the promotion of float64 that strict promotion forbids."""
    return kind(param_dtype=x.dtype, use_fast_variance=False, force_float32_reductions=False)(x)


class Mlp(nn.Module):
    """Three dense layers."""

    @nn.compact
    def __call__(self, x):
        x = jnp.tanh(nn.Dense(8)(x))
        x = jnp.tanh(nn.Dense(2)(x))
        return nn.Dense(CLASSES)(x)


class Block(nn.Module):
    """A residual block with a normalisation, for ``nn.scan``."""

    @nn.compact
    def __call__(self, x, _=None):
        return x + jnp.tanh(nn.Dense(WIDTH)(norm(nn.LayerNorm, x))), None


class Scanned(nn.Module):
    """Two blocks whose parameters ``nn.scan`` stacks; a lifted class at the head."""

    axes: tuple = (("params", 0), *TAPS.items())

    @nn.compact
    def __call__(self, x):
        rngs = {"params": True}
        x, _ = nn.scan(Block, variable_axes=dict(self.axes), split_rngs=rngs, length=2)()(x, None)
        return nn.remat(nn.Dense)(CLASSES)(x.mean(axis=0))


class RecurrentStep(nn.Module):
    """One step of a recurrence, for ``nn.scan``."""

    @nn.compact
    def __call__(self, carry, x):
        return jnp.tanh(nn.Dense(WIDTH)(carry) + x), None


class Recurrent(nn.Module):
    """One layer called at every position, its parameters shared by ``nn.scan``."""

    @nn.compact
    def __call__(self, x):
        scan = nn.scan(
            RecurrentStep,
            variable_broadcast="params",
            variable_axes=TAPS,
            split_rngs={"params": False},
        )
        return nn.Dense(CLASSES)(scan()(jnp.ones_like(x[0]), x)[0])


class Twice(nn.Module):
    """One layer called on all positions, and then on their mean."""

    @nn.compact
    def __call__(self, x):
        dense = nn.Dense(WIDTH)
        x = jnp.tanh(dense(x))
        return nn.Dense(CLASSES)(jnp.tanh(dense(x.mean(axis=0))))


class Tied(nn.Module):
    """One table that reads tokens and scores them, and is called a second time."""

    @nn.compact
    def __call__(self, ids):
        embed = nn.Embed(7, 4)
        return embed.attend(jnp.tanh(embed(ids)).mean(axis=0) * embed(ids[0]))


class Attention(nn.Module):
    """Attention with two heads, whose kernels have three axes."""

    @nn.compact
    def __call__(self, x):
        x = nn.MultiHeadDotProductAttention(num_heads=2, qkv_features=8)(x)
        return nn.DenseGeneral(CLASSES, axis=(-2, -1))(x)


class Convolved(nn.Module):
    """Convolutions in one and two dimensions; in the first the layer's batch axis is missing."""

    @nn.compact
    def __call__(self, x):
        x = jnp.tanh(nn.Conv(6, 2, padding="VALID")(x))
        image = jnp.tanh(nn.Conv(3, (3, 2), strides=(2, 1), kernel_dilation=(1, 2))(x[..., None]))
        return nn.Dense(CLASSES)(image.mean(axis=(0, 1)))


class Norms(nn.Module):
    """Both normalisations, and no bias."""

    @nn.compact
    def __call__(self, x):
        x = norm(nn.RMSNorm, x)
        x = norm(nn.LayerNorm, jnp.sin(x))
        return nn.Dense(CLASSES, use_bias=False)(x.mean(axis=0))
