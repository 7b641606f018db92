"""Made-up results of runs, as run folders and collections hold them."""

import json

CONFIG = {
    "encoder": "tiny",
    "data": {"source": "/data/textlen", "seed": 0},
    "label": {"epochs": 3, "batch": 8},
}


def make_row(method="finetuning", seed=1, accuracy=0.8, *, config=None, digest="abc", **result):
    """Return a made-up run as one object of a collection; the CID is higher for larger seeds."""
    split = {
        "accuracy": accuracy,
        "groups": {"y=0 c=0": 1.0, "y=0 c=1": accuracy - 0.2},
        "worst_group": "y=0 c=1",
        "worst_group_accuracy": accuracy - 0.2,
    }
    lift = seed / 100 + (0 if method == "influence_tuning" else 0.1)
    points = [(0, 0.0), (4, 0.4), (4, 0.1), (9, 0.3), (9, 0.05), (12, 0.15)]
    measured = [
        {"kind": "cid", "step": step, "note": "", "cid": value + lift} for step, value in points
    ]
    return {
        "method": method,
        "seed": seed,
        "config": CONFIG | (config or {}),
        "data_sha256": digest,
        "versions": {"jax": str(seed)},
        "device": "cpu",
        "result": {
            "method": method,
            "task": "textlen",
            "encoder": "tiny",
            "seed": seed,
            **{name: split for name in ("train", "dev", "test")},
            "cid": measured[-1],
            "seconds": 90.0,
            **result,
        },
        "measured": [{"kind": "label_update", "step": 0, "loss": 0.7}, *measured],
    }


def write_run(folder, *arguments, **changes):
    """Write the folder of a finished run, whose row is that of :func:`make_row`; return it."""
    row = make_row(*arguments, **changes)
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps(row.pop("result")))
    lines = map(json.dumps, row.pop("measured"))
    (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "config.json").write_text(json.dumps(row))
    return folder
