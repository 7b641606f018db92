"""The laboratory, on made-up plans, made-up runs and runs that are tiny."""

import csv
import json

import numpy as np
import pytest

import laboratory
from itune import UserError
from itune.cli import run_main
from itune.metrics import paired_test
from tests.helpers.made_up_runs import write_run
from tests.helpers.small_run import make_encoder

PLAN = """
seeds = [1, 2]
access = [100, 50]

[data.news]
preset = "quickstart"
set = {{ "encoder" = "{encoder}", "max_length" = 16, "data.textlen.train_size" = 40, {rest} }}

[variants.finetuning]
method = "finetuning"

[variants.pooled]
method = "embedding_tuning"
set = {{ "embedding.partners" = "pooled", "embedding.interval" = 2 }}
"""
EMBEDDING = '"embedding.partners" = "pooled", "embedding.interval" = 2'
REST = ", ".join(
    f'"{name}" = {value}'
    for name, value in {
        "data.textlen.dev_size": 8,
        "data.textlen.test_size": 8,
        "label.epochs": 2,
        "label.batch": 8,
        "label.chunk": 4,
        "pad_to_multiple_of": 16,
        "cid_probes": 6,
        "embedding.batch": 8,
        "embedding.probes": 8,
        "embedding.epochs": 1,
    }.items()
)


def write_plan(folder, text=PLAN, encoder="all-MiniLM-L6-v2"):
    path = folder / "plan.toml"
    path.write_text(text.format(encoder=encoder, rest=REST))
    return path


@pytest.mark.usefixtures("chooses_devices")
def test_trains_what_is_missing_and_renders_it(tmp_path, capsys):
    text = PLAN.replace("embedding_tuning", "balanced_sampling").replace(
        EMBEDDING, '"label.epochs" = 1'
    )
    plan, out = write_plan(tmp_path, text, make_encoder(tmp_path)), tmp_path / "out"
    arguments = [str(plan), "--out", str(out), "--seeds", "1,2", "--access", "50"]
    arguments += ["--variants", "pooled", "--devices", "1", "--together", "2"]
    assert run_main(laboratory.main, arguments) == 0
    runs = {str(path.parent.relative_to(out)) for path in out.rglob("result.json")}
    assert runs == {f"news-50/pooled/balanced_sampling-{seed}" for seed in (1, 2)}
    for path in out.rglob("result.json"):
        assert json.loads(path.read_text())["together"] == 2
        config = json.loads(path.with_name("config.json").read_text())["config"]
        assert config["label"]["epochs"] == 1 and config["access"]["rate"] == 0.5
    written = {path: path.stat().st_mtime_ns for path in out.rglob("result.json")}
    capsys.readouterr()
    assert run_main(laboratory.main, arguments) == 0
    assert written == {path: path.stat().st_mtime_ns for path in out.rglob("result.json")}
    assert "run 1 of" not in capsys.readouterr().err
    rows = list(csv.DictReader((out / "plan.csv").read_text().splitlines()))
    assert [(row["access"], row["variant"]) for row in rows] == [("50 %", "pooled")]


def test_tests_are_paired_by_seed(tmp_path, capsys):
    out, accuracies = tmp_path / "out", {"finetuning": (0.7, 0.8), "pooled": (0.75, 0.9)}
    for variant, values in accuracies.items():
        method = "finetuning" if variant == "finetuning" else "embedding_tuning"
        for seed, value in enumerate(values, 1):
            folder = out / "news-100" / variant / f"{method}-{seed}"
            write_run(folder, method, seed, value)
    path = write_plan(tmp_path)
    assert run_main(laboratory.main, [str(path), "--out", str(out), "--render"]) == 0
    assert "2 runs are missing" in capsys.readouterr().out
    row = list(csv.DictReader((out / "plan.csv").read_text().splitlines()))[1]
    assert float(row["difference"]) == pytest.approx(7.5)
    expected = paired_test(accuracies["pooled"], accuracies["finetuning"]).p
    assert float(row["p paired"]) == pytest.approx(expected)


def test_devices_are_not_mixed(tmp_path, capsys):
    out = tmp_path / "out"
    for seed, device in ((1, "cpu"), (2, "NVIDIA H100")):
        folder = out / "news-100" / "finetuning" / f"finetuning-{seed}"
        config = write_run(folder, "finetuning", seed, 0.7) / "config.json"
        config.write_text(config.read_text().replace('"cpu"', f'"{device}"'))
    path = write_plan(tmp_path)
    assert run_main(laboratory.main, [str(path), "--out", str(out), "--render"]) == 2
    assert "NVIDIA H100" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"finetuning"\n', '"finetunin"\n', "method of [variants.finetuning] must be one of"),
        ("preset =", "present =", "must have either preset or table"),
        ("seeds = [1, 2]", "seeds = [1, -2]", "seeds must be a list of integers"),
        ("[variants.pooled]", '[variants."a/b"]', "cannot be a folder's name"),
        ("access", "acess", "has no key acess"),
        ("seeds = [1, 2]", "seeds = [1, 2", "no plan can be read"),
        ("embedding.partners", "embedding.partner", "pooled on news: embedding.partner is not a"),
        ("embedding.partners", "data.seed", "data.seed of [variants.pooled] is a setting of data"),
        ("embedding.partners", "access.rate", "access.rate of [variants.pooled] is set by access"),
        ('"finetuning"\n', '"finetuning"\nset = "ab"\n', "must be a table of settings, got 'ab'"),
        ('"finetuning"\n', '["finetuning"]\n', "method of [variants.finetuning] must be one of"),
        ('preset = "quickstart"', "preset = 3", "preset of [data.news] must be a name, got 3"),
    ],
)
def test_a_bad_plan_is_refused_in_a_line(tmp_path, capsys, old, new, message):
    path = write_plan(tmp_path, PLAN.replace(old, new, 1))
    assert run_main(laboratory.main, [str(path), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_reference_that_reads_no_confounds_is_run_once_at_any_rate(tmp_path):
    plan = laboratory.read_plan(write_plan(tmp_path))._replace(access=(5, 1))
    wanted = [(of.variant.name, of.percent, of.seed) for of in laboratory.wanted_runs(plan)]
    assert [of[:2] for of in wanted if of[2] == 1] == [
        ("finetuning", 100),
        ("pooled", 5),
        ("pooled", 1),
    ]


def test_places_of_data(tmp_path):
    path = write_plan(tmp_path)
    plan = laboratory.read_plan(path, {"news": "here", "news.control": "there"})
    assert plan.data[0].settings["data.source"] == "here"
    assert plan.data[0].settings["data.control"] == "there"
    with pytest.raises(UserError, match="--place gone: the plan has no such data"):
        laboratory.read_plan(path, {"gone": "here"})


def test_paired_test_is_that_of_scipy():
    from scipy import stats

    first, second = np.random.default_rng(0).normal(size=(2, 7))
    expected = stats.ttest_rel(first, second)
    found = paired_test(first, second)
    assert found.t == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue)
    assert np.isnan(paired_test([1.0], [2.0]).p) and np.isnan(paired_test([1, 2], [0, 1]).p)
