"""Named columns out of CSV, JSON lines, Parquet and Hugging Face data sets, batch by batch."""

import contextlib
import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from itune.cli import nearest
from itune.data.arrow import ROWS, as_text, from_rows, require_arrow
from itune.data.hub import first_line, load_hub, require_datasets
from itune.data.jsonl import brief, parse_object
from itune.data.splits import SPLITS
from itune.data.textfile import read_lines, require_file
from itune.errors import UserError

if TYPE_CHECKING:
    import pyarrow

LONGEST_FIELD = 10_000_000
"""Characters of a CSV field; one that is longer lacks its closing quote."""

ALIASES = {"train": ("train",), "dev": ("dev", "validation", "valid", "val"), "test": ("test",)}
"""What the splits of a data set, or the files of a folder, may be called."""


class Source(NamedTuple):
    """Something that holds named columns.

    Attributes:
      name: as messages show it.
      read: the names of some columns to batches of them, as strings, in that order; raises
        UserError for what is malformed when it is reached, or for a name that is not there.
      classes: the names of the classes of columns that hold them by number.
    """

    name: str
    read: Callable[[Sequence[str]], Iterator["pyarrow.RecordBatch"]]
    classes: Mapping[str, Sequence[str]] = {}


def open_splits(
    name: str, subset: str | None = None, revision: str | None = None
) -> dict[str, Source]:
    """Finds the splits of a file, a folder, or a data set on the Hugging Face hub.

    Args:
      name: a file (its one split is called ``train``); a folder that `datasets` has saved, or one
        with ``train.csv`` and the like; or a name on the hub.
      subset: of a data set on the hub.
      revision: of a data set on the hub.

    Returns:
      At least one source by its split's name.

    Raises:
      UserError: there is no such thing, or it cannot be had.
    """
    path = Path(name).expanduser()
    if name and "\0" not in name and path.is_dir():
        return _open_folder(path)
    if not name or _ending(path) in READERS or path.is_file() or name.startswith((".", "/", "~")):
        return {"train": open_file(path)}
    loaded = load_hub(name, subset, revision, otherwise="give a file or a folder")
    return _open_loaded(loaded, name)


def open_file(path: Path) -> Source:
    """Returns the source that a file is, by the ending of its name.

    Raises:
      UserError: no such file, or an ending that is not known.
    """
    require_file(path)
    if _ending(path) not in READERS:
        known = ", ".join(READERS)
        raise UserError(f"{path}: its name ends in none of {known}; rename or convert it")
    return Source(str(path), lambda names: READERS[_ending(path)](path, names))


def _ending(path: Path) -> str:
    return path.suffix.lower()


def require_columns(names: Sequence[str], known: Iterable[str], source: str) -> None:
    """Checks that columns are there.

    Raises:
      UserError: one is not; the nearest name is offered.
    """
    known = list(known)
    for name in names:
        if known.count(name) > 1:
            raise UserError(f"{source}: has two columns {name!r}; rename one of them")
        if name not in known:
            near = nearest(name, known)
            listed = ", ".join(map(repr, known))
            choose = f"choose out of {listed} by --text, --label and --confound (or none)"
            remedy = f"did you mean {near!r}?" if near else choose
            raise UserError(f"{source}: has no column {name!r}; {remedy}")


# CSV


def _read_csv(path: Path, names: Sequence[str]) -> Iterator["pyarrow.RecordBatch"]:
    rows = _csv_rows(path)
    _, header = next(rows, (1, None))
    if header is None:
        raise UserError(f"{path}: is empty; give a file with a header and one row a line")
    header = [name.strip() for name in header]
    require_columns(names, header, str(path))
    places = [header.index(name) for name in names]

    def fields():
        for line, row in rows:
            if len(row) != len(header):
                raise UserError(
                    f"{path}, line {line}: has {_fields(len(row))} but the header {len(header)}; "
                    'put "quotes" around text that holds the separator'
                )
            yield [row[place] for place in places]

    return from_rows(fields(), len(names))


def _fields(count: int) -> str:
    return f"{count} field{'s' * (count != 1)}"


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line it starts in."""
    lines = read_lines(path)
    first = next(lines, "")
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(chain([first], lines), delimiter=_delimiter(first), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise UserError(
                f"{path}, line {line}: is no CSV ({error}); close every quote, and double those "
                "inside quoted text"
            ) from None
        if row is None:
            return
        if row:
            yield line, row


def _delimiter(header: str) -> str:
    r"""The one of ``,``, ``;`` and ``\t`` that the header has most of."""
    return max(",;\t", key=header.count)


# JSON lines


def _read_jsonl(path: Path, names: Sequence[str]) -> Iterator["pyarrow.RecordBatch"]:
    seen: set[str] = set()

    def values():
        for number, line in enumerate(read_lines(path), start=1):
            if line.strip():
                where = f"{path}, line {number}"
                record = parse_object(line, where, example=names[0])
                seen.update(record)
                yield [_json_text(record.get(name), name, where) for name in names]
        require_columns(names, sorted(seen), str(path))

    return from_rows(values(), len(names))


def _json_text(value: Any, name: str, where: str) -> str | None:
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        value = " ".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, int | float):
        return None if value is None else str(value)
    if not isinstance(value, str):
        raise UserError(f"{where}: {name!r} is {brief(value)}; make it a string or a number")
    if not value.isascii():
        _require_whole(value, name, where)
    return value


def _require_whole(value: str, name: str, where: str) -> None:
    r"""Refuses what JSON can spell by ``\ud800`` and no text can hold."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UserError(
            f"{where}: {name!r} holds half a surrogate pair; write the character itself"
        ) from None


# Parquet


def _read_parquet(path: Path, names: Sequence[str]) -> Iterator["pyarrow.RecordBatch"]:
    with _readable(f"{path}: is no Parquet file"):
        file = require_arrow().parquet.ParquetFile(path)
        require_columns(names, file.schema_arrow.names, str(path))
        for batch in file.iter_batches(ROWS, columns=list(dict.fromkeys(names))):
            yield _select(batch, names, str(path))


@contextlib.contextmanager
def _readable(problem: str) -> Iterator[None]:
    """Turns what reading a damaged file raises into one line."""
    try:
        yield
    except (require_arrow().ArrowException, OSError, ValueError, MemoryError) as error:
        raise UserError(
            f"{problem} that can be read ({first_line(error)}); write it again"
        ) from None


def _select(batch: Any, names: Sequence[str], source: str) -> "pyarrow.RecordBatch":
    columns = [as_text(batch.column(name), name, source) for name in names]
    return require_arrow().record_batch(columns, [str(number) for number in range(len(names))])


READERS = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
"""How to read a file, by the ending of its name."""


# Folders and the hub


def _open_folder(path: Path) -> dict[str, Source]:
    if (path / "dataset_dict.json").exists() or (path / "state.json").exists():
        return _open_saved(path)
    files = [f for folder in (path, path / "data") for f in sorted(folder.glob("*"))]
    found: dict[str, list[Source]] = {}
    for file in files:
        split = split_called(file.name.replace("-", ".").split(".")[0])
        if split and _ending(file) in READERS and file.is_file():
            found.setdefault(split, []).append(open_file(file))
    if not found:
        raise UserError(
            f"{path}: is no data set; name a file, a folder that datasets has saved, or one with "
            f"train.csv (or {', '.join(list(READERS)[1:])})"
        )
    return {split: _together(parts) for split, parts in found.items()}


def split_called(name: str) -> str | None:
    """Which of train, dev and test a data set calls so, if any.

    >>> split_called("validation"), split_called("unsupervised")
    ('dev', None)
    """
    return next((split for split in SPLITS if name in ALIASES[split]), None)


def _together(parts: list[Source]) -> Source:
    """Several files, such as the shards of one split, one after the other."""
    if len(parts) == 1:
        return parts[0]
    return Source(
        f"{parts[0].name} and {len(parts) - 1} more",
        lambda names: chain.from_iterable(part.read(names) for part in parts),
    )


def _open_saved(path: Path) -> dict[str, Source]:
    datasets = require_datasets(f"reading {path}")
    try:
        loaded = datasets.load_from_disk(str(path))
    except Exception as error:  # many libraries' errors come through
        raise UserError(
            f"{path}: is no data set that can be read ({first_line(error)}); save it again"
        ) from None
    return _open_loaded(loaded if isinstance(loaded, dict) else {"train": loaded}, str(path))


def _open_loaded(loaded: Mapping[str, Any], name: str) -> dict[str, Source]:
    return {split: _loaded_source(data, f"{name}, {split}") for split, data in loaded.items()}


def _loaded_source(data: Any, name: str) -> Source:
    def read(names):
        require_columns(names, data.column_names, name)
        table = data.select_columns(list(dict.fromkeys(names))).with_format("arrow")
        with _readable(f"{name}: is no data set"):
            for batch in table.iter(ROWS):
                yield _select(batch.combine_chunks().to_batches()[0], names, name)

    features = (data.features or {}).items()
    return Source(name, read, {key: f.names for key, f in features if hasattr(f, "names")})
