"""CoNLL files and the hub's CoNLL-2003, and what is said when they are not as expected."""

import json

import pytest

from itune.corpora.conll import find_conll, hub_conll, read_conll
from itune.errors import UserError


def test_first_column_blank_lines_and_document_markers(tmp_path):
    path = tmp_path / "some.txt"
    path.write_bytes(
        b"\xef\xbb\xbf-DOCSTART- -X- O O\r\n\r\nEU NNP B-ORG\r\nrejects\tVBZ\r\n \t\n\n"
        b"Stra\xc3\x9fe O\n-DOCSTART- O\nlast\xc2\x85\xe2\x80\xa8one O"
    )
    # U+0085 and U+2028 are blanks to str.split, but they end no line.
    assert read_conll(path) == [["EU", "rejects"], ["Straße"], ["last"]]


@pytest.mark.parametrize(
    ("content", "where", "what"),
    [
        (b"a O\nb\0 O\n", "line 2", "NUL"),
        (b"a O\n\nb\xff O\n", "line 3", "UTF-8"),
        (b"", "line 1", "no sentence"),
        (b"-DOCSTART- O\n\n \n", "line 1", "no sentence"),
    ],
)
def test_unreadable_content_names_the_line(tmp_path, content, where, what):
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_conll(path)
    message = str(caught.value)
    assert f"{path}, {where}" in message and what in message
    assert ";" in message and "\n" not in message


def test_missing_file_and_directory(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_conll(tmp_path / "nope")
    with pytest.raises(UserError, match="is a directory"):
        read_conll(tmp_path)


@pytest.mark.parametrize("train", ["train.txt", "eng.train", "train.conll"])
@pytest.mark.parametrize("valid", ["valid.txt", "testa", "eng.testa", "dev.txt"])
def test_usual_names_are_found(tmp_path, train, valid):
    (tmp_path / train).write_text("a\n")
    (tmp_path / valid).write_text("b\n")
    (tmp_path / "testb").write_text("c\n")
    assert find_conll(tmp_path) == {"train": tmp_path / train, "valid": tmp_path / valid}


def test_what_a_folder_lacks_is_named(tmp_path):
    (tmp_path / "train.txt").write_text("a\n")
    (tmp_path / "valid.txt").mkdir()
    with pytest.raises(UserError, match=r"has no valid file; .*eng\.testa"):
        find_conll(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        find_conll(tmp_path / "nope")
    with pytest.raises(UserError, match="is not a folder"):
        find_conll(tmp_path / "train.txt")


@pytest.fixture
def local_set(tmp_path, monkeypatch):
    """A data set in a folder, which `datasets` loads as it does the hub's."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()

    def write(**splits):
        folder = tmp_path / "set"
        folder.mkdir()
        for name, rows in splits.items():
            (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return str(folder)

    yield write
    datasets.enable_progress_bars()


def test_hub_splits_and_tokens(local_set):
    name = local_set(train=[{"tokens": ["a", "b"], "id": 0}], validation=[{"tokens": ["c"]}])
    assert hub_conll(name) == {"train": [["a", "b"]], "valid": [["c"]]}


def test_hub_set_of_another_shape(local_set):
    name = local_set(train=[{"words": ["a"]}], validation=[{"words": ["c"]}])
    with pytest.raises(UserError, match="no column 'tokens' .it has words"):
        hub_conll(name)


def test_hub_set_without_validation(local_set):
    with pytest.raises(UserError, match="no split 'validation' .it has train"):
        hub_conll(local_set(train=[{"tokens": ["a"]}]))


def test_hub_out_of_reach(local_set, monkeypatch):
    import datasets

    def refuse(*args, **kwargs):
        raise ConnectionError("Couldn't reach the Hub\nand a second line")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(UserError, match="cannot load lhoestq/conll2003.*reach the Hub") as caught:
        hub_conll()
    assert "\n" not in str(caught.value)
