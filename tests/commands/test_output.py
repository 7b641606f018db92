"""Files that verbs write."""

import pytest

from itune import UserError
from itune.commands.output import require_free, write


def test_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "new" / "audit.json"
    require_free(path, overwrite=False)
    assert not path.parent.exists()  # nothing is written yet
    write(path, "naïve")
    assert path.read_text(encoding="utf-8") == "naïve"

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(UserError, match="audit.json: No space left on device; choose another"):
        write(path, "other")
    assert [file.read_text(encoding="utf-8") for file in path.parent.iterdir()] == ["naïve"]


def test_taken(tmp_path):
    path = tmp_path / "audit.json"
    path.write_text("mine")
    require_free(path, overwrite=True)
    with pytest.raises(UserError, match="audit.json exists; choose another folder .* --overwrite"):
        require_free(path, overwrite=False)
    with pytest.raises(UserError, match="audit.json is a file; choose another folder"):
        require_free(path / "folder" / "audit.json", overwrite=False)


def test_not_writable(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(UserError, match="cannot write to .*; choose another folder"):
        require_free(tmp_path / "audit.json", overwrite=False)
