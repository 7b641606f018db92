"""Taps: inputs and output cotangents of every layer of a Linen module, for one example.

``nn.intercept_methods`` wraps each covered layer's call: the input is sown, a zero is added to the
output, and the derivative of the loss with respect to that zero is the output's cotangent. The
model's code does not change, but for normalisations (:mod:`itune.influence.normalisation`), and the
result can be differentiated again. It works under ``vmap``,
``nn.remat`` and ``nn.scan`` (whose ``variable_axes`` must give ``tap_in`` and ``tap_out`` the same
axis 0 as ``params``), and for a layer that is called several times.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

import jax
import jax.numpy as jnp
from flax import linen as nn

from itune.influence import normalisation
from itune.influence.cosine import unit_cotangent
from itune.influence.objective import LinenLoss
from itune.influence.types import Example, Params, Path, PyTree

Interceptor: TypeAlias = Callable[
    [Callable[..., Any], tuple[Any, ...], dict[str, Any], nn.module.InterceptorContext], Any
]

INPUTS, OUTPUTS = "tap_in", "tap_out"
_ARGUMENT = {"dense": "inputs", "conv": "inputs", "embed": "inputs", "attend": "query", "norm": "x"}


class Call(NamedTuple):
    """One call of one layer: what its parameters' gradients are made of.

    Attributes:
        inputs: The array that multiplies the parameter: activations ``(..., d_in)``, ids ``(...)``,
            the normalised input of a LayerNorm, or a convolution's patches
            ``(..., *kernel, d_in)``.
        cotangents: Derivative of the loss in the layer's output, ``(..., d_out)``.
    """

    inputs: jax.Array
    cotangents: jax.Array


class Layer(NamedTuple):
    """One tapped layer, as far as it is known before any number is.

    Attributes:
        path: Path of its module, a prefix of its parameters' paths.
        kind: ``"dense"``, ``"conv"``, ``"embed"``, ``"norm"``, or ``"attend"``, the table of an
            embedding used as output weights.
        input_rank: Number of trailing axes of the input that are features (0 for ids).
        output_rank: Number of trailing axes of the output that are features.
    """

    path: Path
    kind: str
    input_rank: int = 1
    output_rank: int = 1


def tapped_calls(
    loss: LinenLoss, params: Params, example: Example, *, unit_residual: bool = True
) -> dict[Layer, list[Call]]:
    """Run one example forward and backward, without forming any parameter's gradient.

    Return the calls of each tapped layer, in order; none where a transformation around the layer
    (``nn.scan`` without those axes, ``nn.WeightNorm``) let no taps out. ``unit_residual`` scales
    the loss to a derivative of size one in the module's outputs, which cosines do not notice.
    """
    layers: dict[Layer, None] = {}  # an ordered set

    def run(variables: PyTree, mutable: list[str]) -> tuple[jax.Array, PyTree]:
        """Return the loss, and the mutable collections after it."""
        states = []

        def apply(*args: Any, **kwargs: Any) -> Any:
            with nn.intercept_methods(_interceptor(layers)):
                outputs, state = loss.module.apply(variables, *args, mutable=mutable, **kwargs)
            states.append(state)
            return unit_cotangent(outputs) if unit_residual else outputs

        value = loss.loss_fn(apply, example)
        if len(states) != 1:
            raise ValueError(f"loss_fn must call apply exactly once, got {len(states)} calls")
        return value, states[0]

    shapes = jax.eval_shape(lambda p: run({"params": p}, [INPUTS, OUTPUTS])[1], params)
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes.get(OUTPUTS, {}))

    def from_zeros(zeros: PyTree) -> tuple[jax.Array, PyTree]:
        value, state = run({"params": params, OUTPUTS: zeros}, [INPUTS])
        return value, state.get(INPUTS, {})

    cotangents, inputs = jax.grad(from_zeros, has_aux=True)(zeros)
    return {layer: _calls(layer, inputs, cotangents) for layer in layers}


def _calls(layer: Layer, inputs: PyTree, cotangents: PyTree) -> list[Call]:
    try:
        for name in layer.path:
            inputs, cotangents = inputs[name], cotangents[name]
        return [
            Call(value, cotangents[f"{layer.kind}{number}"])
            for number, value in enumerate(inputs[layer.kind])
        ]
    except KeyError:
        return []


def _interceptor(layers: dict[Layer, None]) -> Interceptor:
    """Make an ``nn.intercept_methods`` interceptor that taps covered layers and adds them."""

    def tap(
        next_fun: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        context: nn.module.InterceptorContext,
    ) -> Any:
        module = context.module
        layer = _describe(module, context.method_name)
        if layer is None:
            return next_fun(*args, **kwargs)
        kind = layer.kind
        count = _count(module, kind)
        inputs = args[0] if args else kwargs[_ARGUMENT[kind]]
        multiplied, outputs = _multiplied(module, inputs), None
        if isinstance(module, nn.LayerNorm | nn.RMSNorm):
            outputs = normalisation.output(module, inputs, multiplied)
        if outputs is None:
            outputs = next_fun(*args, **kwargs)
        if _count(module, kind) > count:  # a subclass's super().__call__ was tapped inside
            return outputs
        layers[layer] = None
        _require(kwargs.get("mask") is None and len(args) < 2, layer.path, "a mask")
        module.sow(INPUTS, kind, multiplied)
        return module.perturb(f"{kind}{count}", outputs, collection=OUTPUTS)

    return tap


def _count(module: nn.Module, kind: str) -> int:
    """Count how often this layer has been tapped so far."""
    return len(module.get_variable(INPUTS, kind)) if module.has_variable(INPUTS, kind) else 0


def _describe(module: nn.Module, method: str) -> Layer | None:
    """Return the layer of this call, or None for modules that own no covered parameter."""
    path = module.path
    if isinstance(module, nn.Embed) and method == "attend":
        return Layer(path, "attend")
    if method != "__call__":
        return None
    if isinstance(module, nn.Dense):
        return Layer(path, "dense")
    if isinstance(module, nn.DenseGeneral):
        axes = _as_tuple(module.axis)
        _require(not module.batch_dims, path, "batch_dims")
        _require(sorted(axes) == list(range(-len(axes), 0)), path, "an axis that is not trailing")
        return Layer(path, "dense", len(axes), len(_as_tuple(module.features)))
    if isinstance(module, nn.Conv):
        _require(module.feature_group_count == 1, path, "feature_group_count")
        _require(module.mask is None, path, "a mask")
        _require(module.padding in ("SAME", "VALID"), path, f"padding {module.padding!r}")
        return Layer(path, "conv", 1 + len(_as_tuple(module.kernel_size)))
    if isinstance(module, nn.Embed):
        return Layer(path, "embed", 0)
    if isinstance(module, nn.LayerNorm | nn.RMSNorm):
        _require(_as_tuple(module.reduction_axes) == (-1,), path, "reduction_axes")
        _require(_as_tuple(module.feature_axes) == (-1,), path, "feature_axes")
        return Layer(path, "norm")
    return None


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _require(is_supported: bool, path: Path, what: str) -> None:
    if not is_supported:
        name = "/".join(path)
        raise ValueError(
            f"layer {name!r} uses {what}, which taps do not cover; use route 'hvp' or 'autodiff'"
        )


def _multiplied(module: nn.Module, inputs: jax.Array) -> jax.Array:
    """Return what a layer multiplies by its parameter, out of the layer's input."""
    if isinstance(module, nn.LayerNorm | nn.RMSNorm):
        return normalisation.normalised(module, inputs)
    return _patches(module, inputs) if isinstance(module, nn.Conv) else inputs


def _patches(module: nn.Conv, inputs: jax.Array) -> jax.Array:
    """Return what a kernel is multiplied by at each position, ``(..., *kernel, d_in)``."""
    size = _as_tuple(module.kernel_size)
    n, d_in = len(size), inputs.shape[-1]
    lead = inputs.shape[: inputs.ndim - n - 1]
    strides, input_dilation, kernel_dilation = (
        _per_axis(value, n)
        for value in (module.strides, module.input_dilation, module.kernel_dilation)
    )
    axes = "0123456789"[:n]
    layout = f"N{axes}C"
    patches = jax.lax.conv_general_dilated_patches(
        inputs.reshape((-1, *inputs.shape[len(lead) :])),
        size,
        strides,
        cast(str, module.padding),  # others are refused
        input_dilation,
        kernel_dilation,
        dimension_numbers=(layout, f"{axes}IO", layout),
        precision=jax.lax.Precision.HIGHEST,
    )
    by_channel = patches.reshape((*lead, *patches.shape[1:-1], d_in, *size))
    return jnp.moveaxis(by_channel, -n - 1, -1)


def _per_axis(value: Sequence[int] | int | None, axes: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, Sequence) else (value or 1,) * axes
