"""Two processes never work in one folder."""

import pytest
from filelock import FileLock

from itune.errors import UserError
from itune.training.run_folder import (
    LOCK,
    RunOptions,
    is_at_work,
    locked_run_folder,
    require_usable,
)
from itune.utils.files import UNFINISHED


def begin(folder, **options):
    return locked_run_folder(folder, {"a": 1}, **({"overwrite": False} | options))


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_another_works_in(tmp_path, overwrite):
    (tmp_path / "metrics.jsonl").write_text("theirs")
    message = "another process is at work in .*; wait for it, or choose another out"
    with FileLock(tmp_path / LOCK), pytest.raises(UserError, match=message):
        begin(tmp_path, overwrite=overwrite).__enter__()
    assert (tmp_path / "metrics.jsonl").read_text() == "theirs"


def test_a_lock_that_was_left(tmp_path):
    """By a process that was killed: it holds nothing any more."""
    (tmp_path / LOCK).touch()
    with begin(tmp_path):
        assert (tmp_path / "config.json").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_a_folder_whose_process_was_killed_at_once(tmp_path):
    """Or one that another process has just begun."""
    for name in (LOCK, f"config.json{UNFINISHED}"):
        (tmp_path / name).touch()
    require_usable(tmp_path, {}, RunOptions(resume=True))
    (tmp_path / "notes").touch()
    with pytest.raises(UserError, match="is not empty and holds no run"):
        require_usable(tmp_path, {}, RunOptions(resume=True))


def test_who_is_at_work(tmp_path):
    assert not is_at_work(tmp_path / "nowhere")
    with begin(tmp_path):
        assert is_at_work(tmp_path)
    (tmp_path / LOCK).touch()
    assert not is_at_work(tmp_path)


def test_overwritten(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "config.json").write_text("old")
    with begin(tmp_path, overwrite=True):
        assert not (tmp_path / "checkpoints").exists()
        assert "old" not in (tmp_path / "config.json").read_text()


def test_it_is_free_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), begin(tmp_path):
        raise ZeroDivisionError
    with begin(tmp_path):
        pass
