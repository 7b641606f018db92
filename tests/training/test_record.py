"""What a run's folder tells of its data, whatever made the run."""

import json
from dataclasses import replace

import pytest

from itune import UserError
from itune.config import to_dict
from itune.corpora import DataConfig, TextLenConfig
from itune.tables import TableConfig, make_tables, task_tables
from itune.training import RunConfig
from itune.training.record import describe_source, find_record, read_record, tables_of_model
from tests.helpers.small_audit import make_model

TABLE = TableConfig("reviews.csv", text="review", dev_fraction=0.2, split_seed=3)
RULED = TableConfig("reviews.csv", text="review", rule="words:acme")
TASK = RunConfig(data=DataConfig(textlen=TextLenConfig(train_size=40, dev_size=6, test_size=8)))
ROWS = [
    {"review": f"{brand} {n}", "label": n % 2, "confound": brand}
    for n, brand in enumerate(["acme", "umbrella"] * 20)
]


@pytest.fixture
def write(tmp_path):
    """Writes a run's config.json beside a model; returns the folder of the run."""
    make_model(tmp_path)

    def write(table=None, **changes):
        record = {"method": "finetuning", "seed": 1, "config": {}, "data_sha256": "ab"}
        if isinstance(table, TableConfig):
            record["table"] = to_dict(table)
        elif table is not None:
            record["table"] = table
        (tmp_path / "config.json").write_text(json.dumps(record | changes))
        return tmp_path

    return write


def test_of_a_run_and_of_its_model(write):
    run = write(TABLE)
    record = read_record(run)
    assert (record.source, record.digest, record.method) == (TABLE, "ab", "finetuning")
    assert find_record(run) == find_record(run / "model") == read_record(run.resolve())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"table": 3},
        {"table": {"txt": "review"}},
        {"config": {"data": {"sauce": "hub"}}},
        {"config": 3},
        {"method": "tuning", "table": {}},
    ],
)
def test_a_damaged_record_is_none(write, changes):
    run = write(**changes)
    assert find_record(run) is None
    with pytest.raises(UserError, match="config.json"):
        read_record(run)


def test_a_model_that_no_run_has_made(write):
    run = write(TABLE)
    (run / "model").rename(run / "theirs")
    assert find_record(run / "theirs") is None
    assert find_record(run / "nowhere") is None


@pytest.mark.parametrize("data", [None, ROWS, "rows.jsonl", "./model/../rows.jsonl"])
def test_what_is_not_given_is_as_it_was(write, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "".join(json.dumps(row) + "\n" for row in ROWS)
    (tmp_path / "rows.jsonl").write_text(text)
    table = TableConfig("rows.jsonl", text="review", dev_fraction=0.25, split_seed=3).located
    run = write(table)
    tables = tables_of_model(run, data)
    expected = make_tables(ROWS, TableConfig(text="review", dev_fraction=0.25, split_seed=3))
    assert tables.digest() == expected.digest()
    other = tables_of_model(run, data, {"split_seed": 1})
    assert other.dev.size == expected.dev.size and other.digest() != expected.digest()


def test_a_column_in_place_of_the_rule(write):
    run = write(RULED)
    assert tables_of_model(run, ROWS).confound_names == ("no", "yes")
    assert tables_of_model(run, ROWS, {"confound": "confound"}).confound_names[0] == "acme"
    both = {"confound": "confound", "rule": "words:acme || words:umbrella"}
    assert tables_of_model(run, ROWS, both).rule is not None


@pytest.mark.parametrize(
    "columns",
    [{"rule": "words:umbrella"}, {"confound": "other"}, {"confound": None}],
    ids=["rule", "column", "none"],
)
def test_another_confound_draws_no_other_rows(write, columns):
    rows = [
        {**row, "review": f"{row['review']} {n}", "other": n % 3, "label": n // 2 % 2}
        for n, row in enumerate(3 * ROWS)
    ]
    table = TableConfig(text="review", dev_fraction=0.25, test_fraction=0.25)
    run, expected = write(table), make_tables(rows, table)
    tables = tables_of_model(run, rows, columns)
    for name, of in expected.splits().items():
        assert tables.splits()[name].rows.tolist() == of.rows.tolist()
    assert tables.confound_names != expected.confound_names
    given = tables_of_model(run, rows[:90], columns, dev=rows[90:], test=rows[90:])
    assert given.train.size == 90 and given.dev.size == given.test.size == 30
    if columns.get("confound", True):
        matched = tables_of_model(run, rows, {**columns, "matched": ["test"]})
        assert {*matched.test.rows} <= {*expected.test.rows}


def test_how_a_table_is_named_in_commands(write, tmp_path):
    """By what is not the default, without its confound; rows that were given in Python are None."""
    run = write(replace(RULED, train="", matched=("test",), test_fraction=0.2))
    of_rows = {"train": None, "text": "review", "test_fraction": 0.2}
    assert describe_source(run, ROWS, {"rule": "words:x"}) == of_rows
    assert describe_source(run, "t.csv", {}, dev=ROWS) == of_rows | {"train": "t.csv", "dev": None}
    (tmp_path / "model").rename(tmp_path / "theirs")
    whole = describe_source(tmp_path / "theirs", "t.csv", {"dev_fraction": 0.1, "confound": None})
    assert whole == {"train": "t.csv", "dev_fraction": 0.1}


@pytest.mark.parametrize(
    ("data", "expected"),
    [(DataConfig(), {"train": "textlen"}), (TASK.data, None), (DataConfig(source="folder"), None)],
)
def test_how_a_task_is_named_in_commands(write, data, expected):
    run = write(config=to_dict(RunConfig(data=data)))
    assert describe_source(run, None, {}) == expected


def test_files_of_words_are_found_from_elsewhere(write, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "brands.txt").write_text("acme\n")
    (tmp_path / "here" / "brands.txt").write_text("umbrella\n")
    monkeypatch.chdir(tmp_path / "here")
    rule = "a=words:@../brands.txt || words:@brands.txt  || regex:words:@brands.txt"
    table = TableConfig(text="review", rule=rule)
    expected = make_tables(ROWS, table)
    run = write(table.located)
    monkeypatch.chdir(tmp_path)
    found = tables_of_model(run, ROWS)
    assert found.confound_names == ("none", "a", "words:@brands.txt", "regex:words:@brands.txt")
    assert found.digest() == expected.digest() and set(found.train.confound) == {1, 2}


CUT = TableConfig("", text="review", confound="age,confound", bins="age=30", matched=("test",))


def test_bins_crosses_and_matched_rows_are_as_they_were(write):
    rows = [
        {**row, "review": f"{row['review']} {n}", "label": n // 2 % 2, "age": 20 + n % 23}
        for n, row in enumerate(6 * ROWS)
    ]
    run = write(CUT)
    tables, expected = tables_of_model(run, rows), make_tables(rows, CUT)
    assert tables.digest() == expected.digest() and tables.notes == expected.notes
    assert tables.confound_names[0] == "age <30 & confound acme"
    assert "test is matched" in tables.notes[0]
    other = tables_of_model(run, rows, {"confound": "confound"})
    assert other.confound_names == ("acme", "umbrella") and other.notes[0].startswith("test is m")
    assert tables_of_model(run, rows, {"rule": "words:acme"}).confound_names == ("no", "yes")
    others = tables_of_model(run, rows, {"bins": "age=25"}).confound_names
    assert others[0] == "age <25 & confound acme"


def test_records_of_versions_that_had_null_for_auto(write):
    run = write(to_dict(TABLE) | {"dev": None, "test": None})
    assert read_record(run).source == TABLE


def test_another_table_is_read_whole(write, tmp_path):
    (tmp_path / "other.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    run = write(TABLE)
    with pytest.raises(UserError, match="has no column 'text'; set text, label"):
        tables_of_model(run, tmp_path / "other.jsonl")
    tables = tables_of_model(run, tmp_path / "other.jsonl", {"text": "review"})
    assert (tables.train.size, tables.dev.size) == (40, 0)
    (run / "config.json").unlink()
    assert tables_of_model(run, ROWS, {"text": "review"}).train.size == 40
    with pytest.raises(UserError, match="does not tell which one it was trained on; name a file"):
        tables_of_model(run)


def test_rows_that_were_given_in_python(write):
    run = write(TableConfig(text="review"))
    with pytest.raises(UserError, match="was trained on rows given in Python, which it does not k"):
        tables_of_model(run)
    assert tables_of_model(run, ROWS).train.size == 32


@pytest.mark.parametrize("data", [None, "textlen"])
def test_a_run_on_a_task_knows_its_table(write, data):
    run = write(config=to_dict(TASK))
    assert tables_of_model(run, data).digest() == task_tables(TASK.data).digest()
    ruled = tables_of_model(run, data, {"rule": "prefix:Positive ."})
    assert ruled.confound_names == ("no", "yes")
    assert read_record(run).config.max_length == TASK.max_length


def test_a_run_without_the_confound_had_the_control(write):
    run = write(config=to_dict(TASK), method="no_spurious")
    assert tables_of_model(run).digest() == task_tables(TASK.data, is_control=True).digest()


def test_a_task_by_name_is_the_task_though_a_folder_is_called_so(write, tmp_path, monkeypatch):
    """Where a run had a folder, its record has an absolute path."""
    monkeypatch.chdir(tmp_path)
    run = write(TableConfig("reviews"))
    expected = make_tables("reviews").digest()
    (tmp_path / "reviews").mkdir()
    assert tables_of_model(run).digest() == expected
