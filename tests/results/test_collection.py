"""Finished runs read back, and whether they may stand in one table."""

import json
from dataclasses import replace

import pytest

from itune.errors import UserError
from itune.results import collect, read_result, read_results, require_one_configuration
from tests.helpers.made_up_runs import CONFIG, make_row, write_run

CONTROLLED = {"data": CONFIG["data"] | {"control": "/data/twin"}, "access": {"rate": 0.2}}


def test_a_folder_and_its_collection(tmp_path):
    folder = tmp_path / "textlen" / "finetuning-3"
    counts = {"visible": 30, "read": 12}
    write_run(folder, seed=3, config=CONTROLLED, collapsed=True, confounds=counts)
    run = read_result(folder)
    assert (run.setting, run.method, run.seed) == ("textlen", "finetuning", 3)
    assert (run.test_accuracy, run.cid, run.access) == (0.8, pytest.approx(0.28), 0.2)
    assert (run.has_collapsed, run.confounds_read, run.minutes) == (True, 12, 1.5)
    assert (run.folder, run.model) == (folder, folder / "model")
    (row,) = collect([folder])
    assert row["config"]["data"] == {"source": "textlen", "seed": 0, "control": "twin"}
    assert {entry["kind"] for entry in row["measured"]} == {"cid"}
    assert run.config["data"]["source"] == "/data/textlen"  # as it was
    (tmp_path / "all.json").write_text(json.dumps([row]))
    (again,) = read_results([tmp_path / "all.json"])
    where = {"where": run.where, "folder": run.folder, "config": run.config}
    assert replace(again, **where) == run and again.folder is None
    assert collect([tmp_path / "all.json"]) == [row]


def test_a_run_on_a_table_is_collected(tmp_path):
    folder = write_run(tmp_path / "mine" / "finetuning-1")
    config = json.loads((folder / "config.json").read_text())
    del config["config"]["data"]
    config["table"] = {"train": "/home/me/tweets.csv", "dev": "validation", "test": None}
    (folder / "config.json").write_text(json.dumps(config))
    (row,) = collect([folder])
    assert row["table"] == {"train": "tweets.csv", "dev": "validation", "test": None}
    assert "data" not in row["config"]


def test_updates_collected(tmp_path):
    """Of a round the first and the last, in their places among the measures."""
    kinds = [("label_update", 1), ("cid", 2), *[("influence_update", 2)] * 3, ("cid", 2)]
    kinds += [("label_update", 2), ("influence_update", 3), ("accuracy", 3), ("label_update", 3)]
    accuracy = {"cid": 0.1, "dev_accuracy": 0.5, "dev_groups": {}}
    rows = [
        {"kind": kind, "step": step, "at": at, **accuracy} for at, (kind, step) in enumerate(kinds)
    ]
    (tmp_path / "all.json").write_text(json.dumps([make_row() | {"measured": rows}]))
    (found,) = collect([tmp_path / "all.json"])
    assert [row["at"] for row in found["measured"]] == [1, 2, 4, 5, 7, 8]


def test_runs_of_several_places(tmp_path):
    """Of two machines: what one has collected, and the folders of the other."""
    for seed in (1, 2):
        write_run(tmp_path / "runs" / "textlen" / f"finetuning-{seed}", seed=seed)
    (tmp_path / "other.json").write_text(json.dumps([{"setting": "textlen", **make_row(seed=3)}]))
    runs = read_results([tmp_path / "runs", tmp_path / "other.json"])
    assert [(run.setting, run.seed) for run in runs] == [("textlen", s) for s in (1, 2, 3)]
    (tmp_path / "again.json").write_text(json.dumps([{"setting": "textlen", **make_row(seed=2)}]))
    with pytest.raises(UserError, match="again.json, run 1 is finetuning with seed 2 of textlen"):
        read_results([tmp_path / "runs", tmp_path / "again.json"])


def test_runs_of_searches_are_left_out(tmp_path):
    """They are of several settings, with one seed."""
    write_run(tmp_path / "textlen" / "finetuning-1")
    for point in range(2):
        write_run(tmp_path / "textlen" / "search-finetuning" / f"{point:03d}-1")
    assert [run.setting for run in read_results([tmp_path])] == ["textlen"]
    (run,) = read_results([tmp_path / "textlen" / "search-finetuning" / "001-1"])
    assert run.setting == "search-finetuning"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("config", {"data": {}}),
        ("method", "foo"),
        ("result.confounds", "many"),
        ("result.test", {"accuracy": float("nan"), "worst_group_accuracy": 0.5}),
        ("measured", [{"kind": "cid", "cid": 0.5}]),
        ("measured", [{"step": 3, "cid": 0.5}]),
        ("measured", [{"kind": "cid", "step": 3, "cid": "x"}]),
    ],
)
def test_damage_that_can_be_read(tmp_path, place, value):
    row = make_row(seed=1)
    inner, _, name = place.rpartition(".")
    (row[inner] if inner else row)[name] = value
    (tmp_path / "all.json").write_text(json.dumps([row]))
    with pytest.raises(UserError, match="all.json, run 1 is damaged, or no result of a run"):
        read_results([tmp_path / "all.json"])


def test_results_of_earlier_versions(tmp_path):
    (tmp_path / "textlen-minilm.json").write_text(json.dumps([make_row()]))
    (run,) = read_results([tmp_path / "textlen-minilm.json"])
    assert run.setting == "textlen-minilm"  # no setting in there: the file's name
    assert (run.access, run.has_collapsed, run.confounds_read) == (1.0, False, None)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("[", "cannot read .*a.json: "),
        ("{}", "a.json is damaged: it holds no list"),
        ("[3]", "a.json, run 1 is damaged, or no result of a run"),
        ([make_row(), {**make_row(seed=2), "result": {}}], "a.json, run 2 is damaged"),
        ([make_row(accuracy=1, seconds="long")], "a.json, run 1 is damaged"),
        ([make_row(), make_row()], "run 2 is finetuning with seed 1 of a, as is .*run 1; leave"),
    ],
)
def test_bad_collections(tmp_path, rows, message):
    path = tmp_path / "a.json"
    path.write_text(rows if isinstance(rows, str) else json.dumps(rows))
    with pytest.raises(UserError, match=message):
        read_results([path])


def runs(tmp_path, *rows):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows))
    return read_results([path])


def test_runs_of_one_configuration(tmp_path):
    fewer = {"label": {"epochs": 3}}  # an earlier version had no label.batch
    found = runs(
        tmp_path,
        make_row(seed=1),
        make_row(seed=2, config=fewer),
        make_row("influence_tuning", config={"access": {"rate": 0.05}}),
        make_row("embedding_tuning", config={"access": {"rate": 0.1}}),
        make_row("finetuning", seed=3, config={"data": CONTROLLED["data"]}),
        make_row("finetuning", seed=4, config={"data": CONFIG["data"] | {"control": None}}),
        make_row("no_spurious", seed=1, digest="twin"),
        make_row("no_spurious", seed=2, digest="twin"),
    )
    require_one_configuration(found)
    require_one_configuration(found, CONFIG)
    require_one_configuration([])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (make_row(seed=2, config={"label": {"epochs": 4}}), "run 3 .*label.epochs 4, but .*run 1 "),
        (make_row(seed=2, config={"label": {"batch": 9}}), "run 3 .*label.batch 9, but .*run 2 "),
        (make_row(seed=2, digest="other"), "data 'other', but .*run 1 has 'abc'; keep runs of"),
    ],
)
def test_runs_of_two_configurations(tmp_path, row, message):
    rows = make_row(seed=1, config={"label": {"epochs": 3}}), make_row("adversarial"), row
    with pytest.raises(UserError, match=message):
        require_one_configuration(runs(tmp_path, *rows))


def test_runs_of_two_controls(tmp_path):
    data = [CONFIG["data"] | {"control": name} for name in ("a", "b")]
    rows = [make_row("no_spurious", s, config={"data": d}) for s, d in enumerate(data)]
    with pytest.raises(UserError, match="data.control 'b', but .*run 1 has 'a'"):
        require_one_configuration(runs(tmp_path, *rows))


def test_runs_of_another_configuration_than_wanted(tmp_path):
    wanted = {**CONFIG, "encoder": "large"}
    with pytest.raises(UserError, match="encoder 'tiny', but the setting has 'large'"):
        require_one_configuration(runs(tmp_path, make_row()), wanted)
