"""JSON lines in and out."""

import pytest

from itune.corpora import Example, write_jsonl
from itune.corpora.jsonl import Fields, read_jsonl
from itune.errors import UserError

EXAMPLES = [
    Example(("Negative", ".", "Straße", "\u2028", "\x85", '"'), 0, 0, 4),
    Example(("x",), 1, 0, 7),
    Example(("y", "z"), 2, 3, 2),
]


def test_what_is_written_is_read(tmp_path):
    write_jsonl(EXAMPLES, tmp_path / "a.jsonl")
    assert read_jsonl(tmp_path / "a.jsonl") == EXAMPLES
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def test_format(tmp_path):
    write_jsonl(iter(EXAMPLES[1:2]), tmp_path / "a.jsonl")
    line = b'{"tokens": ["x"], "label": 1, "confound": 0, "length": 7}\n'
    assert (tmp_path / "a.jsonl").read_bytes() == line


def test_a_failed_write_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "a.jsonl"
    write_jsonl(EXAMPLES, path)

    def broken():
        yield EXAMPLES[1]
        raise RuntimeError("out of examples")

    with pytest.raises(RuntimeError, match="out of examples"):
        write_jsonl(broken(), path)
    assert read_jsonl(path) == EXAMPLES
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_at_work_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.jsonl"
    write_jsonl(EXAMPLES, path)
    old = path.read_bytes()
    with path.open("rb") as reader:
        write_jsonl(EXAMPLES[1:], path)
        assert reader.read() == old
    assert read_jsonl(path) == EXAMPLES[1:]


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(
        UserError, match="^cannot write .*a.jsonl: No such file or directory; check"
    ):
        write_jsonl(EXAMPLES, tmp_path / "nope" / "a.jsonl")


@pytest.mark.parametrize("field", ["text", "sentence"])
def test_strings_are_split_and_counted(tmp_path, field):
    path = tmp_path / "a.jsonl"
    line = f'{{"{field}": " one  two\\tthree", "label": 1, "confound": 0, "more": 1}}'
    path.write_text(f"\n{line}\r\n")
    assert read_jsonl(path) == [Example(("one", "two", "three"), 1, 0, 3)]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"tokens": ["a"], "label": 1', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('["a"]', "holds a list"),
        ('{"label": 1, "confound": 0}', "'tokens' is missing"),
        ('{"tokens": "a b", "label": 1, "confound": 0}', "'tokens' is \"a b\""),
        ('{"tokens": ["a", 1], "label": 1, "confound": 0}', "make it a list of strings"),
        ('{"tokens": [], "label": 1, "confound": 0}', "'tokens' holds no word"),
        ('{"text": ["a"], "label": 1, "confound": 0}', "make it a string"),
        ('{"text": "  ", "label": 1, "confound": 0}', "'text' holds no word"),
        ('{"tokens": ["a"], "confound": 0}', "'label' is missing"),
        ('{"tokens": ["a"], "label": 1}', "'confound' is missing"),
        ('{"tokens": ["a"], "label": 1.0, "confound": 0}', "'label' is 1.0"),
        ('{"tokens": ["a"], "label": true, "confound": 0}', "'label' is true"),
        ('{"tokens": ["a"], "label": "1", "confound": 0}', "'label' is \"1\""),
        ('{"tokens": ["a"], "label": 1, "confound": -1}', "'confound' is -1"),
        ('{"tokens": ["a"], "label": 1, "confound": 0, "length": null}', "'length' is null"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, complaint):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"tokens": ["a"], "label": 1, "confound": 0}\n\n' + line + "\n")
    with pytest.raises(UserError) as caught:
        read_jsonl(path)
    message = str(caught.value)
    assert message.startswith(f"{path}, line 3: ") and complaint in message
    assert ";" in message and "\n" not in message and len(message) < len(str(path)) + 130


def test_fields_of_other_names(tmp_path):
    fields = Fields(("phrase",), "y", "c")
    path = tmp_path / "a.jsonl"
    path.write_text('{"phrase": "a b", "y": 1, "c": 2, "tokens": 3, "label": -1}\n')
    assert read_jsonl(path, fields) == [Example(("a", "b"), 1, 2, 2)]
    for line, complaint in (
        ('{"text": "a", "y": 1, "c": 0}', "'phrase' is missing; add a string"),
        ('{"phrase": ["a"], "y": 1, "c": 0}', "'phrase' is .*; make it a string"),
        ('{"phrase": "a", "label": 1, "c": 0}', "'y' is missing; add an integer"),
        ('{"phrase": "a", "y": 1, "c": "0"}', "'c' is \"0\"; make it an integer"),
        ("1", 'write {"phrase": …}'),
    ):
        path.write_text(line)
        with pytest.raises(UserError, match=f"line 1: .*{complaint}"):
            read_jsonl(path, fields)


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_file_is_an_error(tmp_path, content):
    (tmp_path / "a.jsonl").write_text(content)
    with pytest.raises(UserError, match="is empty"):
        read_jsonl(tmp_path / "a.jsonl")


def test_bytes_that_are_not_text(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"{}\n\xff\n")
    with pytest.raises(UserError, match="line 2: is not UTF-8"):
        read_jsonl(tmp_path / "a.jsonl")
