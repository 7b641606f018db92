"""Makes ``golden_families.json`` with PyTorch, and checks with it what we export of each family.

Two environments: ours, and another with ``pip install torch transformers`` and nothing of ours.
In the repository's folder::

    torch:  python -m tests.models.make_golden_families golden
    ours:   python -m tests.models.make_golden_families export FOLDER
    torch:  python -m tests.models.make_golden_families check FOLDER

Weights are drawn by NumPy from the names and shapes of tensors, so both sides build the same.
"""

import copy
import json
import re
import sys
import zlib
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).with_name("golden_families.json")
SMALL = {
    "vocab_size": 40,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "max_position_embeddings": 14,
    "type_vocab_size": 2,
    "num_labels": 3,
}
ROBERTA = {
    "max_position_embeddings": 16,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
    "pad_token_id": 1,
}
DISTIL = {
    "vocab_size": 40,
    "dim": 12,
    "n_layers": 2,
    "n_heads": 3,
    "hidden_dim": 20,
    "max_position_embeddings": 14,
    "num_labels": 3,
}
ALBERT = {**SMALL, "embedding_size": 12}
MPNET = {key: value for key, value in SMALL.items() if key != "type_vocab_size"}
MPNET.update({"max_position_embeddings": 16, "pad_token_id": 1})
DEBERTA = {key: value for key, value in SMALL.items() if key != "type_vocab_size"}
DEBERTA.update({"relative_attention": True, "pos_att_type": ["c2p", "p2c"]})
DEBERTA_V3 = {
    **DEBERTA,
    "position_biased_input": False,
    "pos_att_type": "p2c|c2p",
    "position_buckets": 4,
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
}
GPT2 = {
    "vocab_size": 40,
    "n_embd": 12,
    "n_layer": 2,
    "n_head": 3,
    "n_positions": 14,
    "num_labels": 3,
    "pad_token_id": 0,
}
LLAMA = {key: value for key, value in SMALL.items() if key != "type_vocab_size"}
LLAMA.update({"num_attention_heads": 6, "num_key_value_heads": 2, "pad_token_id": 0})
MODERNBERT = {**LLAMA, "num_attention_heads": 3, "local_attention": 6}
del MODERNBERT["num_key_value_heads"]
CASES = {
    "bert": {"model_type": "bert", **SMALL},
    "bert-gelu_new": {"model_type": "bert", **SMALL, "hidden_act": "gelu_new"},
    "roberta": {"model_type": "roberta", **SMALL, **ROBERTA},
    "roberta-two-types": {"model_type": "roberta", **SMALL, **ROBERTA, "type_vocab_size": 2},
    "xlm-roberta": {"model_type": "xlm-roberta", **SMALL, **ROBERTA},
    "camembert": {"model_type": "camembert", **SMALL, **ROBERTA},
    "distilbert": {"model_type": "distilbert", **DISTIL},
    "distilbert-relu": {"model_type": "distilbert", **DISTIL, "activation": "relu"},
    "electra": {"model_type": "electra", **SMALL, "embedding_size": 8},
    "electra-one-width": {"model_type": "electra", **SMALL, "embedding_size": 12},
    "albert": {"model_type": "albert", **ALBERT},
    "albert-factorised": {"model_type": "albert", **ALBERT, "embedding_size": 8},
    "albert-groups": {
        "model_type": "albert",
        **ALBERT,
        "num_hidden_layers": 3,
        "num_hidden_groups": 2,
        "inner_group_num": 2,
    },
    "deberta": {"model_type": "deberta", **DEBERTA, "position_biased_input": False},
    "deberta-p2c": {
        "model_type": "deberta",
        **DEBERTA,
        "pos_att_type": "p2c",
        "max_relative_positions": 5,
        "type_vocab_size": 2,
        "embedding_size": 8,
    },
    "deberta-absolute": {"model_type": "deberta", **DEBERTA, "relative_attention": False},
    "deberta-v2": {"model_type": "deberta-v2", **DEBERTA_V3},
    "deberta-v2-convolution": {
        "model_type": "deberta-v2",
        **DEBERTA_V3,
        "attention_head_size": 4,
        "conv_kernel_size": 3,
        "conv_act": "gelu",
        "embedding_size": 8,
        "max_relative_positions": 6,
    },
    "deberta-v2-own-projections": {
        "model_type": "deberta-v2",
        **DEBERTA,
        "max_relative_positions": 5,
        "type_vocab_size": 2,
        "pooler_hidden_act": "tanh",
    },
    "deberta-v2-c2p": {"model_type": "deberta-v2", **DEBERTA, "pos_att_type": ["c2p"]},
    "deberta-v2-absolute": {"model_type": "deberta-v2", **DEBERTA, "relative_attention": False},
    "deberta-v2-long": {
        "model_type": "deberta-v2",
        **DEBERTA_V3,
        "max_position_embeddings": 152,
        "max_relative_positions": 128,
        "position_buckets": 64,
    },
    "mpnet": {"model_type": "mpnet", **MPNET},
    "mpnet-long": {"model_type": "mpnet", **MPNET, "max_position_embeddings": 152},
    "modernbert": {"model_type": "modernbert", **MODERNBERT},
    "modernbert-mean": {
        "model_type": "modernbert",
        **MODERNBERT,
        "num_hidden_layers": 4,
        "classifier_pooling": "mean",
        "classifier_activation": "tanh",
        "norm_bias": True,
        "attention_bias": True,
        "mlp_bias": True,
        "classifier_bias": True,
    },
    "modernbert-long": {
        "model_type": "modernbert",
        **MODERNBERT,
        "max_position_embeddings": 152,
        "local_attention": 128,
        "global_attn_every_n_layers": 2,
        "global_rope_theta": 80000.0,
        "local_rope_theta": 500.0,
    },
    "modernbert-types": {
        "model_type": "modernbert",
        **MODERNBERT,
        "layer_types": ["sliding_attention", "full_attention"],
        "rope_parameters": {
            "full_attention": {"rope_type": "default", "rope_theta": 50.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 20.0},
        },
    },
    "gpt2": {"model_type": "gpt2", **GPT2},
    "gpt2-scaled": {
        "model_type": "gpt2",
        **GPT2,
        "n_inner": 20,
        "activation_function": "relu",
        "scale_attn_weights": False,
        "scale_attn_by_inverse_layer_idx": True,
    },
    "llama": {"model_type": "llama", **LLAMA},
    "llama-biases": {
        "model_type": "llama",
        **LLAMA,
        "attention_bias": True,
        "mlp_bias": True,
        "head_dim": 4,
        "hidden_act": "gelu",
        "rope_scaling": {"rope_type": "linear", "factor": 4.0},
    },
    "llama-3": {
        "model_type": "llama",
        **LLAMA,
        "head_dim": 8,
        "max_position_embeddings": 80,
        "rope_theta": 50.0,
        "rope_scaling": {
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 60,
        },
    },
    "mistral": {"model_type": "mistral", **LLAMA, "sliding_window": 4},
    "mistral-without-window": {"model_type": "mistral", **LLAMA, "sliding_window": None},
    "qwen2": {"model_type": "qwen2", **LLAMA, "rope_theta": 1000.0},
    "qwen3": {"model_type": "qwen3", **LLAMA, "head_dim": 4},
}
"""Contents of ``config.json`` by the name of a case; without dropout, which is off.

One case of every architecture is called by its ``model_type``. Inputs follow from the case: a model
without ``type_vocab_size`` gets no segment ids, and with a ``pad_token_id`` other than 0 positions
are counted from the row after that.
"""


def weights(shapes):
    """Float32 tensors by name, all of them random: zero biases would hide mistakes."""
    found = {}
    for name, shape in shapes.items():
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        is_scale = re.search(r"(orm|ln_.)\.weight$", name) is not None
        found[name] = (is_scale + 0.3 * rng.normal(size=shape)).astype(np.float32)
    return found


def inputs(config):
    """Token ids, masks and segment ids: padding on the right, on the left, none, the longest."""
    pad = config.get("pad_token_id", 0)
    longest = config.get("max_position_embeddings") or config["n_positions"]
    longest -= pad + 1 if pad else 0
    rng = np.random.default_rng(0)
    place = np.arange(longest)
    mask = np.stack([place < 9, place >= 5, place < 1, place < longest]).astype(int)
    ids = np.where(mask == 1, rng.integers(2, 40, mask.shape), pad)
    types = rng.integers(0, config.get("type_vocab_size", 1), mask.shape) * mask
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}


def _in_float64(function, *args):
    """Calls a function while float32 is float64 in PyTorch, where models ask for it by name."""
    import torch

    before = torch.float, torch.float32, torch.Tensor.float
    torch.float = torch.float32 = torch.float64
    torch.Tensor.float = torch.Tensor.double
    torch.set_default_dtype(torch.float64)
    try:
        return function(*args)
    finally:
        torch.float, torch.float32, torch.Tensor.float = before
        torch.set_default_dtype(torch.float32)


def _logits(about, tensors, config):
    """Logits of a new model with these tensors, by name."""
    import torch
    import transformers

    model = transformers.AutoModelForSequenceClassification.from_config(about).eval()
    model.load_state_dict({name: torch.tensor(of) for name, of in tensors.items()}, strict=False)
    batch = {name: torch.tensor(value) for name, value in inputs(config).items()}
    if "type_vocab_size" not in config:
        del batch["token_type_ids"]
    with torch.no_grad():
        return model(**batch).logits.double().numpy()


def golden():
    """Writes the golden file."""
    import torch
    import transformers

    made_with = {"torch": torch.__version__, "transformers": transformers.__version__}
    record = {"made_with": made_with, "logits": {}}
    for name, config in CASES.items():
        # transformers changes nested dicts.
        about = transformers.AutoConfig.for_model(**copy.deepcopy(config))
        model = transformers.AutoModelForSequenceClassification.from_config(about)
        state = model.state_dict().items()
        drawn = weights({key: tuple(of.shape) for key, of in state if of.is_floating_point()})
        low, high = _logits(about, drawn, config), _in_float64(_logits, about, drawn, config)
        print(name, "float32 off by", abs(low - high).max())
        record["logits"][name] = high.tolist()
    GOLDEN.write_text(json.dumps(record) + "\n", encoding="utf-8")


def export(folder):
    """Exports every case through ``save_classifier``."""
    from itune.models import save_classifier
    from tests.helpers.family_models import model_of

    for name in CASES:
        config, params = model_of(name)
        save_classifier(Path(folder) / name, config, params, None)


def check(folder):
    """Loads what ``export`` wrote and compares with the golden file."""
    import transformers

    record = json.loads(GOLDEN.read_text(encoding="utf-8"))
    for name, config in CASES.items():
        model, info = transformers.AutoModelForSequenceClassification.from_pretrained(
            Path(folder) / name, output_loading_info=True
        )
        assert not any(info.values()), (name, info)
        tensors = {key: value.numpy() for key, value in model.state_dict().items()}
        model.config.dtype = None  # otherwise that of the file, float32
        logits = _in_float64(_logits, model.config, tensors, config)
        off = abs(logits - np.array(record["logits"][name])).max()
        print(name, "off by", off)
        assert off < 1e-12


def _loaded_logits(folder, config):
    import torch
    import transformers

    model, info = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, output_loading_info=True, dtype=torch.float64
    )
    assert not any(info.values()), (folder, info)
    return _logits(model, config)


if __name__ == "__main__":
    {"golden": golden, "export": export, "check": check}[sys.argv[1]](*sys.argv[2:])
