"""Files that appear whole or not at all, whatever interrupts the writing."""

import errno
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itune.errors import UserError
from itune.utils.files import UNFINISHED, write_atomically

FAILURES = {
    "none": None,
    "interrupted": KeyboardInterrupt(),
    "full disk": OSError(errno.ENOSPC, "No space left on device"),
    "bug": ZeroDivisionError(),
}


def write(paths, contents, stop_at, failure):
    """Write a byte at a time, each of which counts as a step, as does each rename; one may fail."""
    steps, replace = 0, os.replace

    def step():
        nonlocal steps
        if steps == stop_at and failure is not None:
            raise failure
        steps += 1

    def counted_replace(source, target):
        step()
        replace(source, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", counted_replace)
        with write_atomically(*paths) as unfinished:
            for temporary, content in zip(unfinished, contents, strict=True):
                with temporary.open("wb", buffering=0) as file:
                    for number in range(len(content)):
                        step()
                        file.write(content[number : number + 1])


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    contents=st.lists(st.binary(max_size=5), min_size=1, max_size=3),
    had_files=st.booleans(),
    stop_at=st.integers(0, 20),
    kind=st.sampled_from(sorted(FAILURES)),
)
def test_no_reader_ever_sees_a_part(contents, had_files, stop_at, kind):
    """Each file holds its old content or its new one, and no temporary file is left."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.txt" for number in range(len(contents))]
        old = b"the old content" if had_files else None
        for path in paths if had_files else []:
            path.write_bytes(old)
        is_written = True
        try:
            write(paths, contents, stop_at, FAILURES[kind])
        except (KeyboardInterrupt, OSError, ZeroDivisionError) as error:
            assert error is FAILURES[kind]
            is_written = False
        found = [path.read_bytes() if path.exists() else None for path in paths]
        if is_written:
            assert found == contents
        bytes_written = sum(map(len, contents))
        if not is_written and stop_at <= bytes_written:  # before the first rename
            assert found == [old] * len(paths)
        assert all(now in (old, new) for now, new in zip(found, contents, strict=True))
        assert not list(Path(folder).glob(f"*{UNFINISHED}"))


def test_errors_of_the_system_with_a_hint(tmp_path):
    one, two = tmp_path / "none" / "a.txt", tmp_path / "none" / "b.txt"
    with (
        pytest.raises(UserError, match="^cannot write .*none/a.txt: No such file or directory; go"),
        write_atomically(one, hint="go elsewhere") as (temporary,),
    ):
        temporary.write_text("a")
    with (
        pytest.raises(UserError, match="^cannot write to .*none: No such file or directory; go"),
        write_atomically(one, two, hint="go elsewhere") as (temporary, _),
    ):
        temporary.write_text("a")
    with pytest.raises(FileNotFoundError), write_atomically(one) as (temporary,):
        temporary.write_text("a")


def test_a_hint_is_for_errors_of_the_system_alone(tmp_path):
    with pytest.raises(ValueError, match="a bug"), write_atomically(tmp_path / "a", hint="x"):
        raise ValueError("a bug")


def test_a_file_that_the_block_does_not_write_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), write_atomically(tmp_path / "a"):
        pass
