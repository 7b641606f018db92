"""Loops that go on where they were cut off."""

import errno

import jax.numpy as jnp
import numpy as np
import pytest

from itune.errors import UserError
from itune.utils.files import digest_of
from itune.utils.resumable import DONE, Resumable

ITEMS = [3, 1, 4, 1, 5]


def total(resumable, *, stop_at=None, steps=None):
    """Adds up the items and notes them in place; Ctrl-C comes before one of them."""

    def step(state, item):
        number = len(steps)
        if number == stop_at:
            raise KeyboardInterrupt
        steps.append(item)
        return {"sum": state["sum"] + item}

    steps = [] if steps is None else steps
    return resumable.fold("total", {"sum": jnp.zeros(2)}, ITEMS, step)["sum"]


def interrupted(folder, stop_at, about=None, **options):
    steps = []
    with pytest.raises(KeyboardInterrupt), Resumable(folder, about, **options) as resumable:
        total(resumable, stop_at=stop_at, steps=steps)


def resumed(folder, about=None):
    """What comes out, and the items that were taken."""
    steps = []
    with Resumable(folder, about) as resumable:
        found = total(resumable, steps=steps)
    return np.asarray(found).tolist(), steps


@pytest.mark.parametrize("stop_at", range(5))
def test_goes_on(tmp_path, stop_at):
    interrupted(tmp_path / "kept", stop_at)
    assert resumed(tmp_path / "kept") == ([14.0, 14.0], ITEMS[stop_at:])


def test_is_told_where_it_goes_on(tmp_path):
    interrupted(tmp_path, 3)
    told = []
    with Resumable(tmp_path) as resumable:
        resumable.fold("total", {}, ITEMS, lambda state, _: state, told.append)
    assert told == [3, 4, 5]


def test_finished_loops_are_not_done_again(tmp_path):
    steps = []
    with pytest.raises(KeyboardInterrupt), Resumable(tmp_path) as resumable:
        resumable.once("first", lambda: {"a": np.arange(3), "b/c": np.array(["x", "yz"])})
        total(resumable, stop_at=2, steps=steps)
    with Resumable(tmp_path) as resumable:
        found = resumable.once("first", pytest.fail)
        assert found["a"].tolist() == [0, 1, 2] and found["b/c"].tolist() == ["x", "yz"]
        total(resumable, steps=steps)
    assert steps == ITEMS


def test_short_work_leaves_no_trace(tmp_path):
    assert resumed(tmp_path / "kept") == ([14.0, 14.0], ITEMS)
    with pytest.raises(ValueError), Resumable(tmp_path / "kept") as resumable:
        total(resumable)
        raise ValueError
    assert not (tmp_path / "kept").exists()


def test_kept_every_so_often(tmp_path):
    """A process that is killed has no time to write."""
    with Resumable(tmp_path, seconds=0) as resumable:
        total(resumable)
    with np.load(tmp_path / "total.npz") as file:
        assert file["sum"].tolist() == [14, 14] and file[DONE] == 5
    assert resumed(tmp_path) == ([14.0, 14.0], [])


def test_of_anything_else_is_forgotten(tmp_path):
    interrupted(tmp_path, 2, {"model": "a"})
    assert resumed(tmp_path, {"model": "b"}) == ([14.0, 14.0], ITEMS)


@pytest.mark.parametrize("damage", [b"", b"PK", b"nothing", b"PK\x03\x04 cut off"])
def test_damaged_files_do_not_count(tmp_path, damage):
    interrupted(tmp_path, 2)
    (tmp_path / "total.npz").write_bytes(damage)
    assert resumed(tmp_path) == ([14.0, 14.0], ITEMS)


@pytest.mark.parametrize("name", ["thesis.txt", "about.txt", "folder/kept-by-itune.json"])
def test_folders_of_other_people_are_left_alone(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    for folder in (tmp_path, path):
        with pytest.raises(UserError, match="holds something else; name a folder that"):
            resumed(folder)
    assert path.read_text() == "mine"


def test_only_what_was_kept_is_deleted(tmp_path):
    interrupted(tmp_path, 2)
    (tmp_path / "notes.txt").write_text("mine")
    with Resumable(tmp_path, {"model": "b"}) as resumable:
        resumable.forget()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_forget(tmp_path):
    interrupted(tmp_path / "kept", 2)
    with Resumable(tmp_path / "kept") as resumable:
        resumable.forget()
    assert not (tmp_path / "kept").exists()


def test_full_disk(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with Resumable(tmp_path / "kept", seconds=0) as resumable:
        assert total(resumable).tolist() == [14, 14]
    assert not (tmp_path / "kept").exists()


def test_nothing_is_kept_without_a_folder():
    interrupted(None, 2)
    assert resumed(None) == ([14.0, 14.0], ITEMS)


def test_digests_tell_arrays_apart():
    trees = [{"a": np.arange(4)}, {"a": np.arange(4.0)}, {"a": np.arange(4).reshape(2, 2)}]
    trees += [{"a": np.arange(3), "b": np.array([3])}, {"a": np.arange(1, 5)}]
    assert len({digest_of(tree) for tree in trees}) == len(trees)
    assert digest_of({"a": jnp.arange(4)}) == digest_of([np.arange(4)])
