"""Made-up results with every kind of text in them, for reports."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from itune.auditing import (
    Audit,
    AuditConfig,
    AuditPlan,
    Behaviour,
    ChangedPrediction,
    CIDBreakdown,
    CIDTest,
    CounterfactualTest,
    Explanation,
    InfluentialRow,
    LinearProbe,
    ModelAudit,
    PairCID,
    SwapCount,
    Verdict,
)
from itune.groups import Group
from itune.metrics.accuracy import Accuracy
from itune.metrics.proportions import wilson
from itune.report import Origin
from itune.results import (
    CIDEvaluation,
    DevEvaluation,
    GroupAccuracy,
    RunResult,
    SplitAccuracy,
    compare_runs,
)
from itune.training.best_checkpoint import BestCheckpoint

SIZES = {"train": 900, "dev": 90, "test": 180}
LABELS = ("bad", "middling", "good")
BRANDS = ("Acme", "Borealis", "<script>alert(1)</script>")
HEBREW = "מכונת הכביסה Acme עובדת מצוין, והיא שקטה מאוד!"
MEAN = '</p><script>alert("x")</script><img src=x onerror=alert(1)> & "quotes" \x00\x1b[1m\u202eabc'
LONG = "The drum rattles. " * 4000 + "My Acme broke. " + "It is loud. " * 2400

ORIGIN = Origin(
    ("itune", "audit", "model", "reviews.csv", "--rule", "words:Acme || words:Borealis"),
    {"itune": "0.1.0", "commit": "0123abc", "python": "3.11.7", "jax": "0.10.2"},
    "0f" * 32,
    "0, of every draw",
    "cpu",
)


def make_audit(lift=0.4, size=60, **changes):
    """Return an audit of three labels and three brands, whose groups differ by ``lift``."""
    rng = np.random.default_rng(0)
    label = np.repeat(np.arange(3), size // 3)
    confound = np.tile(np.arange(3), size // 3)
    alike = (label[:, None] == label) * (0.3 + lift * (confound[:, None] == confound))
    noise = rng.normal(0, 0.12, (size, size))
    matrix = np.clip(alike + (noise + noise.T) / 2, -1, 1)
    np.fill_diagonal(matrix, 1)
    groups = [Group(y, c) for y in range(3) for c in range(3)]
    share = {group: (0.7 if group.label == group.confound else 0.15) / 3 for group in groups}
    by_group = {c: 0.97 if c.label == c.confound else 0.5 + 0.07 * c.label for c in groups}
    behaviour = {name: make_behaviour(n, by_group) for name, n in SIZES.items()}
    pairs = tuple(
        PairCID(y, a, b, lift if (y, a) != (0, 0) else np.nan, (40, 50))
        for y in range(3)
        for a, b in ((0, 1), (0, 2), (1, 2))
    )
    found = Audit(
        influence=CIDBreakdown(
            lift + 0.02,
            0.01,
            dict.fromkeys(groups, lift),
            dict.fromkeys(range(3), lift),
            pairs,
            900,
        ),
        test=CIDTest(lift, lift - 0.04, lift + 0.05, 0.0005, size, 2000),
        sample=np.arange(size),
        label=label,
        confound=confound,
        matrix=matrix,
        share=share,
        behaviour=behaviour,
        probe=LinearProbe(0.81, 1 / 3, {0: 0.8, 1: 0.79, 2: 0.84}, 900),
        minutes_of_whole=1.5,
        groups={group: round(900 * part) for group, part in share.items()},
        plan=AuditPlan({"predictions": 0.1, "CID": 1.5}, ("predictions", "CID"), 4000),
    )
    result = ModelAudit(
        model="runs/reviews/model",
        label_names=LABELS,
        confound_names=BRANDS,
        sizes=SIZES,
        audit=found,
        explanations=make_explanations(),
        counterfactual=make_counterfactual(),
        verdict=Verdict(
            "leans",
            "The model leans on the confound.",
            (
                "CID is +0.400, between +0.360 and +0.450: training examples that share the "
                "confound influence one another more than others of their label.",
                "Swapping the confound changes 31 of 100 predictions.",
            ),
        ),
        config=AuditConfig(),
        digest="0f" * 32,
        rows_of={name: name for name in SIZES},
        searched=900,
        notes=("the model does not name its classes; they are taken in order",),
    )
    return replace(result, **changes)


def make_behaviour(size, by_group):
    """Return accuracies by group; all groups have the same size."""
    sizes = dict.fromkeys(by_group, size // len(by_group))
    intervals = {
        group: wilson(sizes[group] * share, sizes[group]) for group, share in by_group.items()
    }
    overall = float(np.mean(list(by_group.values())))
    accuracy = Accuracy(overall, by_group, min(by_group, key=by_group.get))
    ends = (overall - 0.05, overall + 0.05)
    return Behaviour(accuracy, 0.05, 0.2, 0.4, size, size, ends, intervals, sizes)


def make_explanations():
    """Return explanations of two rows: everyday text, and everything that could go wrong."""
    rows = [
        influential(
            4, 0.83, "The Acme washer is a joy, and it hardly makes a sound.", 2, 0, [(4, 8)]
        ),
        influential(17, 0.61, "Acme again: five stars, Acme!", 2, 0, [(0, 4), (24, 28)]),
        influential(90, 0.4, HEBREW, 2, 0, [(13, 17)]),
        influential(5, -0.2, "Not worth the money 😀👩\u200d👩\u200d👧 at all.", 0, 1, []),
        influential(6, -0.51, MEAN, 0, 2, [(0, 12)]),
        influential(7, -0.9, LONG, 0, -1, [(72_003, 72_007)]),
    ]
    first = Explanation(
        3,
        ("I love my Acme.",),
        2,
        0,
        ((10, 14),),
        2,
        (0.01, 0.02, 0.97),
        tuple(rows[:3]),
        tuple(rows[3:]),
    )
    second = Explanation(11, (MEAN,), 0, 2, ((4, 12),), 2, (0.3, 0.2, 0.5), tuple(rows[3:4]), ())
    return first, second


def influential(index, influence, text, label, confound, spans):
    """Return a training row of one text."""
    return InfluentialRow(index, (text,), label, confound, tuple(spans), influence)


def make_counterfactual():
    """Return the outcome of swapping brands."""
    moves = (
        SwapCount(0, 1, 2, 2, 40),
        SwapCount(0, 1, 2, 0, 20),
        SwapCount(1, 0, 0, 0, 29),
        SwapCount(1, 0, 0, 2, 11),
    )
    example = ChangedPrediction(7, "The Acme is fine.", "The Borealis is fine.", 2, 0)
    return CounterfactualTest(100, 31, 0.31, 0.227, 0.406, (example,), moves, "test")


def make_run(**changes):
    """Return a run of influence tuning with two rounds."""
    notes = ("start", "before round 1", "after round 1", "before round 2", "after round 2", "end")
    cids = (0.01, 0.41, 0.02, 0.2, -0.01, 0.03)
    steps = (0, 50, 50, 100, 100, 120)
    history = tuple(map(CIDEvaluation, steps, notes, cids, [0.01] * 6))
    result = RunResult(
        where="runs/reviews",
        folder=Path("runs/reviews"),
        setting="runs",
        data="reviews.csv",
        method="influence_tuning",
        seed=3,
        encoder="all-MiniLM-L6-v2",
        access=1.0,
        label_names=LABELS,
        confound_names=BRANDS,
        accuracies={name: make_split(size, 0.6) for name, size in SIZES.items()},
        final_cid=history[-1],
        cid_history=history[1:],
        dev_history=tuple(
            DevEvaluation(30 * n, f"epoch {n}", make_split(90, 0.3 + 0.1 * n)) for n in (1, 2, 3, 4)
        ),
        best_checkpoint=BestCheckpoint("balanced", 90, "epoch 3", 0.7, False),
        has_collapsed=False,
        confounds_visible=450,
        confounds_read=450,
        swapped=None,
        minutes=12.25,
        config={"encoder": "all-MiniLM-L6-v2", "label": {"epochs": 4}, "influence": {"k": 5}},
        digest=ORIGIN.digest,
        versions=ORIGIN.versions,
        device="cpu",
        notes=("only 2 influence rounds fitted into the label steps",),
    )
    return replace(result, **changes)


def make_split(size, accuracy):
    """Return accuracies of nine groups, the second of which is the worst."""
    groups = tuple(
        GroupAccuracy(
            f"{label}/{brand}", label, brand, accuracy + (-0.2 if place == 1 else 0.05), size // 9
        )
        for place, (label, brand) in enumerate(product(LABELS, BRANDS))
    )
    return SplitAccuracy(accuracy, groups, size)


def make_comparison(methods=("finetuning", "influence_tuning", "group_dro"), seeds=range(1, 6)):
    """Return a comparison of methods whose accuracy rises and whose CID falls in order."""

    def run(place, method, seed):
        base = make_run(method=method, seed=seed, minutes=2.0 + 3 * place)
        accuracy = 0.6 + 0.1 * place + 0.01 * seed
        split = {name: make_split(size, accuracy) for name, size in SIZES.items()}
        history = tuple(replace(m, cid=m.cid + 0.3 - 0.15 * place) for m in base.cid_history)
        return replace(base, accuracies=split, cid_history=history, final_cid=history[-1])

    runs = [run(place, method, seed) for place, method in enumerate(methods) for seed in seeds]
    return compare_runs(runs, Path("runs/compared"))
