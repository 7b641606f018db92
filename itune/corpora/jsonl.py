"""Read and write examples as JSON lines, one object a line."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from itune.corpora.example import Example
from itune.errors import UserError
from itune.utils.files import write_atomically
from itune.utils.text_files import brief, parse_object, read_text

LIST = "tokens"
"""Name of the only field that holds words in a list."""


class Fields(NamedTuple):
    """Names of a line's fields, those of the words in the order in which they are tried.

    ``tokens`` holds a list of words, a field of any other name a string.
    """

    words: tuple[str, ...] = (LIST, "text", "sentence")
    label: str = "label"
    confound: str = "confound"


USUAL = Fields()


def write_jsonl(examples: Iterable[Example], path: str | Path) -> None:
    """Write examples to a file, one JSON object a line.

    The file appears complete or not at all: it is written beside its place and then moved there,
    over any file of that name.

    Args:
      examples: Examples to write, in order.
      path: File to write; its folder must exist.

    Raises:
      UserError: The file cannot be written.
    """
    with (
        write_atomically(Path(path), hint="check its folder") as (temporary,),
        temporary.open("w", encoding="utf-8", newline="\n") as file,
    ):
        file.writelines(json.dumps(example._asdict()) + "\n" for example in examples)


def read_jsonl(path: str | Path, fields: Fields = USUAL) -> list[Example]:
    """Return the examples of a JSON-lines file.

    Each line is an object with integers ``label`` and ``confound`` (from 0), the words as a list
    ``tokens`` or a string ``text`` or ``sentence`` (split at white space), and optionally an
    integer ``length`` (the number of tokens when absent). Other fields and blank lines are ignored.
    """
    examples = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            examples.append(_parse(line, fields, f"{path}, line {number}"))
    if not examples:
        raise UserError(f"{path}: is empty; give a file with one JSON object a line")
    return examples


def _parse(line: str, fields: Fields, where: str) -> Example:
    record = parse_object(line, where, example=fields.words[0])
    tokens = _tokens(record, fields.words, where)
    length = _count(record, "length", where) if "length" in record else len(tokens)
    label, confound = (_count(record, name, where) for name in (fields.label, fields.confound))
    return Example(tokens, label, confound, length)


def _tokens(record: dict, names: tuple[str, ...], where: str) -> tuple[str, ...]:
    field = next((name for name in names if name in record), None)
    if field is None:
        remedy = "a list of words, or a string 'text'" if names[0] == LIST else "a string"
        raise UserError(f"{where}: '{names[0]}' is missing; add {remedy}")
    value = record[field]
    if field == LIST:
        is_fit = isinstance(value, list) and all(isinstance(token, str) for token in value)
        kind = "a list of strings"
    else:
        is_fit, kind = isinstance(value, str), "a string"
    if not is_fit:
        raise UserError(f"{where}: '{field}' is {brief(value)}; make it {kind}")
    tokens = tuple(value if field == LIST else value.split())
    if not tokens:
        raise UserError(f"{where}: '{field}' holds no word; drop the line or add words")
    return tokens


def _count(record: dict, field: str, where: str) -> int:
    if field not in record:
        raise UserError(f"{where}: '{field}' is missing; add an integer, 0 or more")
    value = record[field]
    if type(value) is not int or not 0 <= value < 2**31:
        remedy = "make it an integer, 0 or more, below 2**31"
        raise UserError(f"{where}: '{field}' is {brief(value)}; {remedy}")
    return value
