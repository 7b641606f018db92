"""Text files by lines."""

import pytest

from itune import UserError
from itune.utils.text_files import read_lines, read_text


def test_lines_have_their_ends(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffä\r\n\nb".encode())
    assert list(read_lines(tmp_path / "a.txt")) == ["ä\r\n", "\n", "b"]
    assert read_text(tmp_path / "a.txt") == "ä\r\n\nb"


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a\nb\0\n", "line 2: holds a NUL byte"), (b"a\n\n\xff", "line 3: is not UTF-8")],
)
def test_refuses(tmp_path, content, message):
    (tmp_path / "a.txt").write_bytes(content)
    lines = read_lines(tmp_path / "a.txt")
    assert next(lines) == "a\n"  # what is before can be had
    with pytest.raises(UserError, match=message):
        list(lines)


@pytest.mark.parametrize("name", [".", "none.txt", "a\0b"])
def test_no_file(tmp_path, name):
    with pytest.raises(UserError, match="is a directory|no such file|cannot be read"):
        read_text(tmp_path / name)
