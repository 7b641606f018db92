"""Runs of several methods side by side, and what may be said of them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from itune.commands.page_text import page_text
from itune.errors import UserError
from itune.report import comparison_page
from itune.results import (
    CIDEvaluation,
    GroupAccuracy,
    RunResult,
    SplitAccuracy,
    SwappedPredictions,
    compare_runs,
    read_comparison,
)
from itune.results.tables import comparison_header, comparison_rows
from itune.training import RunOptions, batches
from itune.tuning.compare import compare_on
from tests.helpers.tuning_cases import SETTINGS, make_encoder, make_tables


def made_up(method, seed, good, bad, *, cid=0.1, collapsed=False, swapped=None):
    """A run with these accuracies in two groups of test."""
    groups = GroupAccuracy("y/a", "y", "a", good, 90), GroupAccuracy("y/b", "y", "b", bad, 10)
    split = SplitAccuracy(0.9 * good + 0.1 * bad, groups, 100)
    final = CIDEvaluation(9, "end", cid, 0.01)
    return RunResult(
        where="runs",
        folder=Path("runs"),
        setting="",
        data="reviews.csv",
        method=method,
        seed=seed,
        encoder="tiny",
        access=1.0,
        label_names=("x", "y"),
        confound_names=("a", "b"),
        accuracies={name: split for name in ("train", "dev", "test")},
        final_cid=final,
        cid_history=(final,),
        dev_history=(),
        best_checkpoint=None,
        has_collapsed=collapsed,
        confounds_visible=100,
        confounds_read=100,
        swapped=swapped,
        minutes=2.0,
        config={},
        digest="abc",
        versions={},
        device="cpu",
    )


def group(method, worst, **more):
    return [made_up(method, seed, 0.9, value, **more) for seed, value in enumerate(worst, 1)]


LOW, MIDDLE, HIGH = ([base + step / 100 for step in range(6)] for base in (0.3, 0.5, 0.7))


def of(*groups):
    return compare_runs([run for group in groups for run in group], Path("out"))


def printed(comparison):
    return page_text(comparison_page(comparison), "Accuracy on test")


def test_sums_over_seeds():
    runs = [*group("finetuning", [0.3, 0.5]), made_up("finetuning", 3, 0.6, 0.1, collapsed=True)]
    found = of(runs, group("influence_tuning", [0.7, 0.7, 0.7], cid=0.0))
    first, second = found.methods
    assert first.balanced_accuracy.mean == pytest.approx((0.6 + 0.7 + 0.35) / 3)
    assert first.test_accuracy.mean == pytest.approx((0.84 + 0.86 + 0.55) / 3)
    assert first.worst_group_accuracy.mean == pytest.approx(
        0.3
    ) and first.worst_group_accuracy.sd == pytest.approx(0.2)
    assert (first.collapsed, second.collapsed) == (1, 0)
    assert found.note.startswith("Note: 1 run is no better than chance on the training data")
    shown = " ".join(printed(found).split())
    assert found.note in shown and "Note:" not in printed(of(group("finetuning", LOW)))
    assert first.difference is None and found.seeds == (1, 2, 3)
    assert second.difference.difference == pytest.approx(0.8 - 0.55)
    assert (second.cid.mean, second.minutes.mean) == (0.0, 2.0)
    row = dict(zip(comparison_header(found), comparison_rows(found)[0], strict=True))
    assert row["collapsed"] == 1 and row["worst group mean"] == pytest.approx(0.3)


def test_swapped_confounds():
    swapped = SwappedPredictions("test", 200, 30)
    found = of(group("finetuning", LOW, swapped=swapped), group("group_dro", LOW))
    rows = [dict(zip(comparison_header(found), row, strict=True)) for row in comparison_rows(found)]
    assert rows[0]["changed by swap mean"] == 0.15 and np.isnan(rows[1]["changed by swap mean"])
    lines = printed(found).splitlines()
    assert "changed by swap" in " ".join(lines) and "0.150 ± 0.000" in " ".join(lines)
    without = of(group("finetuning", LOW), group("group_dro", LOW))
    assert not any("swap" in name for name in comparison_header(without))
    assert "swap" not in printed(without)


def test_runs_that_learnt_nothing_are_not_compared():
    groups = [group(name, LOW, collapsed=True) for name in ("finetuning", "group_dro")]
    assert of(*groups).verdict[0].startswith("No run has learnt its task, and there is nothing to")
    assert of(groups[0], group("group_dro", LOW)).verdict[0].startswith("6 seeds do not tell any")


def test_the_best_is_named_where_it_is_told_from_all():
    found = of(group("finetuning", LOW), group("group_dro", MIDDLE), group("subsampling", HIGH))
    assert found.best == "subsampling"
    assert found.verdict[0].startswith("Subsampling is the best: ")
    assert found.verdict[1:] == ("Better than finetuning: group dro, subsampling.",)
    found = of(group("finetuning", HIGH), group("group_dro", LOW))
    assert found.best == "finetuning" and "Worse than finetuning: group dro." in found.verdict


def test_better_than_the_first_but_not_the_best():
    close = [value + 0.001 for value in HIGH]
    found = of(group("finetuning", LOW), group("group_dro", close), group("subsampling", HIGH))
    assert found.best is None
    assert found.verdict == (
        "Better than finetuning: group dro, subsampling.",
        "The seeds do not tell which method is the best.",
    )


def test_too_few_seeds():
    groups = [
        group(name, worst[:4]) for name, worst in zip("abc", (LOW, MIDDLE, HIGH), strict=True)
    ]
    found = of(*groups)
    assert found.best is None and found.methods[1].difference.permutation < 0.03
    assert found.methods[1].difference.corrected == pytest.approx(4 / 70)
    assert found.verdict == (
        "4 seeds do not tell any method from a: a permutation test of 2 comparisons cannot say so "
        "with fewer than 5 seeds each, however large the difference.",
    )
    assert "by chance" in of(group("a", LOW), group("b", LOW)).verdict[0]
    one = of(group("a", LOW[:1]), group("b", LOW[:1]))
    assert one.verdict[0].startswith("1 seed does not tell")
    assert "nothing to compare it with" in of(group("a", LOW)).verdict[0]


def test_what_is_printed():
    found = of(group("finetuning", LOW), group("group_dro", HIGH))
    lines = [" ".join(line.split()) for line in printed(found).splitlines()]
    assert lines[:2] == [
        "2 methods on reviews.csv",
        "finetuning, group dro; seeds 1, 2, 3, 4, 5, 6",
    ]
    (line,) = [line for line in lines if line.startswith("group dro 0")]
    assert line == (
        "group dro 0.812 ± 0.009 0.725 ± 0.019 0.882 ± 0.002 +0.100 ± 0.000 2.0 ± 0.0 0 of 6 "
        "+0.200 0.002"
    )
    assert found.verdict[0] in " ".join(lines)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparing")
    settings = {"label.epochs": 1, "cid_when": "end", "encoder": str(make_encoder(folder))}
    return make_tables(folder), SETTINGS | settings, folder / "compared"


METHODS, SEEDS = ("finetuning", "subsampling"), (1,)


def test_a_comparison_is_cut_off_and_goes_on(case, monkeypatch):
    tables, settings, folder = case
    calls, real, said = [], batches.collate_shared, []

    def run(**more):
        return compare_on(
            tables, folder, methods=METHODS, seeds=SEEDS, settings=settings, say=said.append, **more
        )

    def collate(*args, **options):
        calls.append(args)
        if len(calls) > 20:
            raise KeyboardInterrupt
        return real(*args, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(batches, "collate_shared", collate)
        run()
    done = [path for path in folder.glob("*/result.json")]
    assert len(done) == 1
    with pytest.raises(UserError, match="already holds a run; go on with it by resume=True"):
        run()
    times = {path: path.stat().st_mtime_ns for path in done}
    found = run(options=RunOptions(resume=True))
    assert {path: path.stat().st_mtime_ns for path in done} == times
    assert [result.method for result in found.methods] == list(METHODS)
    assert said[-1] == "2 of 2 runs done, about 0 min left"
    assert repr(read_comparison(folder)) == repr(found)  # one seed has no p value, which is NaN
    assert {run.seed for result in found.methods for run in result.runs} == set(SEEDS)
    rows = list(csv.DictReader((folder / "comparison.csv").read_text().splitlines()))
    assert [row["method"] for row in rows] == ["finetuning", "subsampling"]
    assert float(rows[0]["test mean"]) == found.methods[0].test_accuracy.mean
    configs = [json.loads(path.read_text())["config"] for path in folder.glob("*/config.json")]
    assert len(configs) == 2 and all(config == configs[0] for config in configs)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"methods": ()}, "methods must be a list of different methods, got ()"),
        (
            {"seeds": (1, 1)},
            "seeds must be a list of different integers from 0 to 2**32 - 1, got (1, 1)",
        ),
        ({"seeds": 3}, "seeds must be a list of different integers from 0 to 2**32 - 1, got 3"),
        (
            {"seeds": ("a",)},
            "seeds must be a list of different integers from 0 to 2**32 - 1, got ('a',)",
        ),
        (
            {"methods": "finetuning"},
            "methods must be a list of different methods, got 'finetuning'",
        ),
        (
            {"seeds": (-1,)},
            "seeds must be a list of different integers from 0 to 2**32 - 1, got (-1,)",
        ),
        ({"methods": ("finetuning", "no_spurious")}, "no_spurious trains on data without the conf"),
        (
            {"methods": ("finetuning", "group_dro"), "settings": {"label.batch": 2}},
            "label.batch is 2 but there are 4 groups",
        ),
    ],
)
def test_nothing_is_trained_before_all_is_known_to_work(case, tmp_path, changes, message):
    tables, settings, _ = case
    arguments = {"methods": METHODS, "seeds": SEEDS} | changes
    arguments["settings"] = settings | changes.get("settings", {})
    with pytest.raises(UserError) as caught:
        compare_on(tables, tmp_path / "out", **arguments)
    assert message in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_no_comparison(tmp_path):
    with pytest.raises(UserError, match="holds no finished comparison"):
        read_comparison(tmp_path)
