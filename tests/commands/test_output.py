"""Reports that commands leave in a folder."""

import json

import pytest

from itune import UserError
from itune.commands.output import make_origin, require_no_report, write_results
from itune.report.blocks import Page

PAGE = Page("A title", "in a line", (), (), "the end")


def test_written_whole_or_not_at_all(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "new" / "folder"
    require_no_report(folder, overwrite=False)
    assert not folder.parent.exists()  # nothing is written yet
    origin = make_origin("audit", ["a b"], "0f", "1")
    write_results(folder, PAGE, {"cid": float("nan")}, origin, "in short")
    found = json.loads((folder / "report.json").read_text(), parse_constant=pytest.fail)
    assert found["cid"] is None and found["origin"]["command"] == ["itune", "audit", "a b"]
    assert {"jax", "itune"} <= found["origin"]["versions"].keys()
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert '<h1 dir="auto">A title</h1>' in page
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "in short" and lines[-1].startswith(f"{folder / 'report.html'} is the ")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(UserError, match="new.folder: No space left on device; choose another"):
        write_results(folder, PAGE, {"cid": 1}, origin, "all the same")
    assert capsys.readouterr().out == "all the same\n"
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.json"]
    assert json.loads((folder / "report.json").read_text())["cid"] is None


def test_a_reader_that_leaves(tmp_path, monkeypatch):
    """It does not take the report along."""

    def gone(*_):
        raise BrokenPipeError

    monkeypatch.setattr("sys.stdout.write", gone)
    with pytest.raises(BrokenPipeError):
        write_results(tmp_path, PAGE, {}, make_origin("audit", [], "0f", "1"), "a\nb")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


@pytest.mark.parametrize("name", ["report.html", "report.json"])
def test_taken(tmp_path, name):
    path = tmp_path / name
    path.write_text("mine")
    require_no_report(tmp_path, overwrite=True)
    with pytest.raises(UserError, match=f"{name} exists; choose another folder .* --overwrite"):
        require_no_report(tmp_path, overwrite=False)
    with pytest.raises(UserError, match=f"{name} is a file; choose another folder"):
        require_no_report(path / "folder", overwrite=False)


def test_not_writable(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(UserError, match="cannot write to .*; choose another folder"):
        require_no_report(tmp_path, overwrite=False)
