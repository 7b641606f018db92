import dataclasses
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from scipy.special import erf

from itune import UserError
from itune.models import BertClassifier, BertConfig, load_encoder, load_tokenizer, resolve_encoder
from tests.models.make_golden import NUM_LABELS, POOLED, SENTENCES, classifier

TINY = BertConfig(
    vocab_size=40,
    hidden_size=8,
    num_layers=1,
    num_heads=2,
    intermediate_size=12,
    max_positions=16,
    num_labels=3,
)


def random_params(config, seed=0):
    """Float64 parameters, all of them random: zero biases and unit scales would hide mistakes."""
    ids = jnp.zeros((3,), jnp.int32)
    init = BertClassifier(config).init
    shapes = jax.eval_shape(init, jax.random.key(0), ids, ids)["params"]
    rng = np.random.default_rng(seed)

    def draw(path, leaf):
        return jnp.asarray((path[-1].key == "scale") + 0.3 * rng.normal(size=leaf.shape))

    return jax.tree.map_with_path(draw, shapes)


@pytest.fixture(scope="module")
def params():
    return random_params(TINY)


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(1)
    lengths = np.array([7, 4, 1, 6])
    mask = (np.arange(7) < lengths[:, None]).astype(np.int32)
    ids, types = rng.integers(1, 40, (4, 7)) * mask, rng.integers(0, 2, (4, 7)) * mask
    return jnp.asarray(ids), jnp.asarray(mask), jnp.asarray(types)


STATIC = ("config", "deterministic")


def forward(params, *inputs, config=TINY, **kwargs):
    return BertClassifier(config).apply({"params": params}, *inputs, **kwargs)


apply = jax.jit(forward, static_argnames=STATIC)


def quick_key(seed):
    """A key whose bits compile three times faster than those of the default kind."""
    return jax.random.key(seed, impl="rbg")


def assert_close(a, b, atol=1e-12):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=0, atol=atol), a, b)


def reference(params, ids, config):
    """One unpadded sequence by plain NumPy, a loop over layers and heads."""

    def dense(p, x):
        return x @ p["kernel"] + p["bias"]

    def norm(p, x):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + config.layer_norm_eps)
        return x * p["scale"] + p["bias"]

    act = {
        "gelu": lambda x: x * 0.5 * (1 + erf(x / np.sqrt(2))),
        "gelu_new": lambda x: x * 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
        "relu": lambda x: np.maximum(x, 0),
    }[config.hidden_act]
    params = jax.tree.map(np.asarray, params)
    e = params["embeddings"]
    x = e["word"]["embedding"][ids] + e["position"]["embedding"][: len(ids)]
    x = norm(e["norm"], x + e["token_type"]["embedding"][0])
    width = config.hidden_size // config.num_heads
    for i in range(config.num_layers):
        p = params[f"layer_{i}"]
        q, k, v = (dense(p[name], x) for name in ("query", "key", "value"))
        mixed = np.zeros_like(x)
        for head in range(config.num_heads):
            part = slice(head * width, (head + 1) * width)
            weights = np.exp(q[:, part] @ k[:, part].T / np.sqrt(width))
            mixed[:, part] = weights @ v[:, part] / weights.sum(-1, keepdims=True)
        x = norm(p["attention_norm"], x + dense(p["attention_output"], mixed))
        h = dense(p["output"], act(dense(p["intermediate"], x)))
        x = norm(p["output_norm"], x + h)
    pooled = np.tanh(dense(params["pooler"], x[0]))
    return dense(params["classifier"], pooled), pooled


@pytest.mark.parametrize("act", ["gelu", "gelu_new", "relu"])
def test_equals_numpy(params, act):
    config = dataclasses.replace(TINY, hidden_act=act)
    ids = np.array([5, 1, 39, 7, 7])
    out = apply(params, jnp.asarray(ids), jnp.ones((5,), bool), config=config)
    assert_close(tuple(out), reference(params, ids, config))


@pytest.mark.parametrize("lead", [(), (1,), (2, 1, 2)])
def test_leading_axes(params, batch, lead):
    flat = [x[0] if lead in ((), (1,)) else x for x in batch]
    inputs = [x.reshape((*lead, 7)) for x in flat]
    out = apply(params, *inputs)
    assert out.logits.shape == (*lead, 3) and out.pooled.shape == (*lead, 8)
    expected = apply(params, *batch)
    assert_close(out.logits.reshape(-1, 3), expected.logits[: out.logits.size // 3])


def test_vmapped_singles_equal_batch(params, batch):
    single = jax.jit(jax.vmap(forward, (None, 0, 0, 0)))(params, *batch)
    assert_close(single, apply(params, *batch))


def test_padding_changes_nothing(params, batch):
    ids, mask, types = (jnp.pad(x, ((0, 0), (0, 9))) for x in batch)
    expected = apply(params, *batch)
    assert_close(apply(params, ids, mask, types), expected)
    garbage = jnp.where(mask == 1, ids, 39)  # nor does what stands at the padding
    assert_close(apply(params, garbage, mask, types), expected)


def test_padding_has_no_gradient(params, batch):
    ids, mask, types = batch
    ids = jnp.where(mask == 1, ids % 39, 39)  # 39 stands in padding only
    ids, mask = ids.at[2].set(0), mask.at[2].set(0)  # and one row is nothing but padding

    def loss(p):
        return jnp.sum(jnp.sin(forward(p, ids, mask, types).logits))

    value, grads = jax.jit(jax.value_and_grad(loss))(params)
    table = grads["embeddings"]["word"]["embedding"]
    assert np.all(table[39] == 0) and np.all(table[ids[0, 0]] != 0)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((value, grads)))


def test_mask_may_be_bool_and_types_default_to_zero(params, batch):
    ids, mask, types = batch
    expected = apply(params, ids, mask, jnp.zeros_like(types))
    assert_close(apply(params, ids, mask == 1), expected)
    assert np.abs(expected.logits - apply(params, *batch).logits).max() > 1e-3


def test_first_and_second_derivatives(params):
    direction = random_params(TINY, seed=1)
    ids, mask = jnp.array([3, 9, 9, 1]), jnp.array([1, 1, 1, 0])

    def dot(a, b):
        return sum(jnp.vdot(x, y) for x, y in zip(*map(jax.tree.leaves, (a, b)), strict=True))

    def loss(p):
        return jnp.sum(jnp.sin(forward(p, ids, mask).logits))

    def slope(p):
        value, gradient = jax.value_and_grad(loss)(p)
        return dot(gradient, direction), value

    @jax.jit
    def at(t):
        moved = jax.tree.map(lambda p, d: p + t * d, params, direction)
        (first, value), gradient = jax.value_and_grad(slope, has_aux=True)(moved)
        return value, first, dot(gradient, direction)

    step = 1e-4
    below, here, above = (np.array(at(t)) for t in (-step, 0.0, step))
    numeric = (above - below) / (2 * step)
    assert abs(here[1]) > 1e-2 and abs(here[2]) > 1e-2
    np.testing.assert_allclose(numeric[:2], here[1:], rtol=1e-5)


def test_dropout_follows_its_key(params, batch):
    def run(seed):
        rngs = {"dropout": quick_key(seed)}
        return apply(params, *batch, deterministic=False, rngs=rngs).logits

    assert_close(run(0), run(0), atol=0)
    assert np.abs(run(0) - run(1)).max() > 1e-3
    assert np.abs(run(0) - apply(params, *batch).logits).max() > 1e-3


@pytest.mark.parametrize("where", ["hidden_dropout", "attention_dropout", "classifier_dropout"])
def test_each_dropout_acts_alone(params, batch, where):
    rates = {"hidden_dropout": 0.0, "attention_dropout": 0.0, "classifier_dropout": 0.0}
    off = dataclasses.replace(TINY, **rates)
    on = dataclasses.replace(TINY, **rates | {where: 0.5})
    kwargs = {"deterministic": False, "rngs": {"dropout": quick_key(0)}}
    exact = apply(params, *batch)
    assert_close(apply(params, *batch, config=off, **kwargs), exact)
    dropped = apply(params, *batch, config=on, **kwargs)
    assert np.abs(dropped.logits - exact.logits).max() > 1e-3
    if where == "classifier_dropout":
        assert_close(dropped.pooled, exact.pooled)


def test_layers_draw_different_dropout():
    """With equal layers and dropout between them, a repeated mask would zero the same units."""
    off = {"attention_dropout": 0.0, "num_layers": 3}
    config = dataclasses.replace(TINY, **off, hidden_dropout=0.5, hidden_size=16)
    ids = jnp.array([1, 2, 3])
    model = BertClassifier(config)

    def spy(call, args, kwargs, context):
        out = call(*args, **kwargs)
        if isinstance(context.module, nn.Dropout) and context.module.name == "Dropout_2":
            context.module.sow("tap_in", "zero", out == 0)
        return out

    params = random_params(config)
    kwargs = {"deterministic": False, "mutable": ["tap_in"]}

    @jax.jit
    def run(params, key):
        with nn.intercept_methods(spy):
            return model.apply({"params": params}, ids, ids, rngs={"dropout": key}, **kwargs)

    _, state = run(params, quick_key(0))
    masks = np.array([state["tap_in"][f"layer_{i}"]["Dropout_2"]["zero"][0] for i in range(2)])
    assert masks.shape == (2, 3, 16) and masks.any()
    assert (masks[0] != masks[1]).any()


def test_interceptor_sees_every_parameter_once(params, batch):
    seen = []

    def spy(call, args, kwargs, context):
        is_leaf = isinstance(context.module, nn.Dense | nn.Embed | nn.LayerNorm)
        if is_leaf and context.method_name == "__call__":
            seen.append(context.module.path)
        return call(*args, **kwargs)

    def run(p):
        with nn.intercept_methods(spy):
            return BertClassifier(TINY).apply({"params": p}, *batch)

    jax.eval_shape(run, params)
    owners = {tuple(k.key for k in path[:-1]) for path, _ in jax.tree.leaves_with_path(params)}
    assert set(seen) == owners
    assert len(seen) == len(owners)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_dtype_follows_parameters(params, batch, dtype):
    cast = jax.tree.map(lambda v: v.astype(dtype), params)
    out = apply(cast, *batch)
    assert out.logits.dtype == out.pooled.dtype == dtype
    assert_close(out, apply(params, *batch), 1e-5 if dtype == jnp.float32 else 0)


def test_fresh_parameters_are_float32_and_differ_by_layer():
    ids = jnp.zeros((2, 3), jnp.int32)
    init = jax.jit(BertClassifier(dataclasses.replace(TINY, num_layers=2)).init)
    params = init(quick_key(0), ids, ids)["params"]
    assert {v.dtype for v in jax.tree.leaves(params)} == {jnp.dtype("float32")}
    kernels = [params[f"layer_{i}"]["query"]["kernel"] for i in range(2)]
    assert np.abs(kernels[0] - kernels[1]).max() > 1e-3
    assert 0.015 < params["embeddings"]["word"]["embedding"].std() < 0.025


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"hidden_act": "swish"}, "hidden_act 'swish' is not supported; use one of gelu"),
        ({"num_heads": 3}, "hidden_size 8 is not a multiple of num_heads 3"),
    ],
)
def test_bad_config(changes, words):
    with pytest.raises(UserError, match=words):
        dataclasses.replace(TINY, **changes)


@pytest.mark.parametrize(
    "ids, mask, words",
    [
        ((17,), (17,), "17 tokens is longer than max_positions 16"),
        ((2, 5), (5,), r"one shape .* got \(2, 5\), \(5,\) and \(2, 5\)"),
        ((), (), "one shape"),
    ],
)
def test_bad_shapes(params, ids, mask, words):
    with pytest.raises(UserError, match=words):
        apply(params, jnp.zeros(ids, jnp.int32), jnp.ones(mask, jnp.int32))


@pytest.fixture(scope="module")
def minilm():
    folder = resolve_encoder("all-MiniLM-L6-v2")
    config, params = load_encoder(folder, NUM_LABELS, jax.random.key(0))
    weight, bias = classifier(config.hidden_size)
    params["classifier"] = {"kernel": jnp.asarray(weight.T), "bias": jnp.asarray(bias)}
    golden = json.loads(Path(__file__).with_name("golden_minilm.json").read_text("utf-8"))
    return folder, config, params, golden


@pytest.mark.parametrize("dtype, atol", [(jnp.float32, 1e-6), (jnp.float64, 1e-12)])
def test_minilm_equals_hugging_face(minilm, dtype, atol):
    _, config, params, golden = minilm
    params = jax.tree.map(lambda v: v.astype(dtype), params)
    jitted = jax.jit(forward, static_argnames=STATIC)
    names = ("input_ids", "attention_mask", "token_type_ids")
    inputs = [jnp.asarray(golden[name]) for name in names]
    out = jitted(params, *inputs, config=config)
    np.testing.assert_allclose(out.logits, golden["logits"], rtol=0, atol=atol)
    np.testing.assert_allclose(out.pooled[:, :POOLED], golden["pooled"], rtol=0, atol=atol)
    if dtype == jnp.float32:
        return
    i = 4  # a pair of sentences, alone and unpadded
    ids = jnp.asarray(golden["single_ids"][i])
    alone = jitted(params, ids, jnp.ones_like(ids), inputs[2][i, : len(ids)], config=config)
    np.testing.assert_allclose(alone.logits, golden["single_logits"][i], rtol=0, atol=atol)


def test_minilm_tokenizer_equals_hugging_face(minilm):
    folder, config, _, golden = minilm
    tokenizer = load_tokenizer(folder)
    assert len(tokenizer) == config.vocab_size
    pairs = [s if isinstance(s, list) else [s] for s in SENTENCES]
    assert [tokenizer(*pair)["input_ids"] for pair in pairs] == golden["single_ids"]
