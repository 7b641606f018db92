"""Makes ``golden_minilm.json`` with PyTorch, and checks with it what we export.

Two environments: ours, and another with ``pip install torch transformers`` and nothing of ours.
FOLDER holds all-MiniLM-L6-v2 (``itune.models.resolve_encoder("all-MiniLM-L6-v2")``)::

    torch:  python tests/models/make_golden.py golden FOLDER
    ours:   python tests/models/make_golden.py export FOLDER EXPORTED
    torch:  python tests/models/make_golden.py check EXPORTED

The classifier is given by a formula, so both sides build the same. The recorded numbers come from
float64; the first command also prints how far Hugging Face's own float32 is from them.
"""

import json
import sys
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).with_name("golden_minilm.json")
NUM_LABELS = 3
POOLED = 8  # leading entries recorded of each pooled vector
SENTENCES = [
    "Yes.",
    "The cat sat on the mat.",
    "so long, and thanks for all the fish!",
    "It decides by the prefix, not by the length.",
    ["A man is playing a guitar.", "Somebody makes music."],
    "Unaffable electroencephalographers hyperventilate over naïve café façades.",
    "In 1998, 3.14159 % of (roughly) 27,182 people replied 'no' -- or did not reply at all.",
    "The model that was trained on the sentences that the annotators wrote learned that the first "
    "word of a sentence says which of the labels it has, which is the one thing about it that "
    "nobody wanted it to learn.",
]


def classifier(hidden):
    """Weight (labels, hidden) and bias (labels,) in float32."""
    weight = 0.02 * np.sin(np.arange(1, NUM_LABELS * hidden + 1)).reshape(NUM_LABELS, hidden)
    return weight.astype(np.float32), (0.1 * np.cos(np.arange(NUM_LABELS))).astype(np.float32)


def _run(model, batch):
    import torch

    with torch.no_grad():
        pooled = model.bert(**batch).pooler_output
        return model(**batch).logits.double().numpy(), pooled.double().numpy()


def _tokenise(tokenizer, sentences):
    pairs = [s if isinstance(s, list) else [s, None] for s in sentences]
    if len(pairs) == 1:
        return tokenizer(*pairs[0], return_tensors="pt")
    # A batch may not mix sentences and pairs: tokenise one by one, then pad.
    return tokenizer.pad([tokenizer(*pair) for pair in pairs], return_tensors="pt")


def golden(folder):
    """Writes the golden file."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.BertForSequenceClassification.from_pretrained(
        folder, num_labels=NUM_LABELS
    ).eval()
    weight, bias = classifier(model.config.hidden_size)
    model.classifier.weight.data = torch.from_numpy(weight)
    model.classifier.bias.data = torch.from_numpy(bias)
    batch = _tokenise(tokenizer, SENTENCES)
    single = [_tokenise(tokenizer, [s]) for s in SENTENCES]
    low = _run(model.float(), batch)[0]
    logits, pooled = _run(model.double(), batch)
    alone = np.concatenate([_run(model, one)[0] for one in single])
    record = {
        "made_with": {"torch": torch.__version__, "transformers": transformers.__version__},
        "sentences": SENTENCES,
        **{name: value.tolist() for name, value in batch.items()},
        "single_ids": [one["input_ids"][0].tolist() for one in single],
        "logits": logits.tolist(),
        "single_logits": alone.tolist(),
        "pooled": pooled[:, :POOLED].tolist(),
    }
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in record.items())
    GOLDEN.write_text("{\n" + lines + "\n}\n", encoding="utf-8")
    print("float32 off by", abs(low - logits).max(), "padding by", abs(alone - logits).max())


def export(folder, exported):
    """Exports MiniLM with the formula's classifier through ``save_classifier``."""
    import jax

    from itune.models import load_encoder, save_classifier

    config, params = load_encoder(folder, NUM_LABELS, jax.random.key(0))
    weight, bias = classifier(config.hidden_size)
    params["classifier"] = {"kernel": weight.T, "bias": bias}
    save_classifier(exported, config, params, folder, overwrite=True)


def check(exported):
    """Loads what ``export`` wrote and compares with the golden file."""
    import torch
    import transformers

    model, info = transformers.BertForSequenceClassification.from_pretrained(
        exported, output_loading_info=True
    )
    assert not any(info.values()), info
    record = json.loads(GOLDEN.read_text(encoding="utf-8"))
    batch = _tokenise(transformers.AutoTokenizer.from_pretrained(exported), SENTENCES)
    names = ("input_ids", "attention_mask", "token_type_ids")
    assert all(torch.equal(batch[name], torch.tensor(record[name])) for name in names)
    for kind, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        off = abs(_run(model.eval().to(kind), batch)[0] - np.array(record["logits"])).max()
        print(kind, "off by", off)
        assert off < tolerance


if __name__ == "__main__":
    {"golden": golden, "export": export, "check": check}[sys.argv[1]](*sys.argv[2:])
