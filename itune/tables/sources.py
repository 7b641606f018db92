"""Sources of named columns: files, folders of files, Hugging Face data sets, and tasks."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itune.corpora.reviews import Review, generate_reviews
from itune.corpora.tasks import TASKS, DataConfig, TaskExamples, load_examples
from itune.errors import UserError, as_path
from itune.tables.arrow import ROWS, classes_of, select
from itune.tables.readers import READERS, readable
from itune.tables.selection import Selection, require_columns
from itune.tables.source import Source, columns_source
from itune.tables.splits import SPLITS, is_like, listed, split_called
from itune.utils.formats import first_line
from itune.utils.hub import load_hub
from itune.utils.suggestions import nearest
from itune.utils.text_files import require_file

if TYPE_CHECKING:
    import pyarrow

REVIEWS = "reviews"
"""Name of the generated table of product reviews; see :mod:`itune.corpora.reviews`."""

TASK_NAMES = (*TASKS, REVIEWS)
"""Names of tables that are generated; each has columns called text, label and confound."""


def open_splits(
    name: str, subset: str | None = None, revision: str | None = None
) -> dict[str, Source]:
    """Find the splits of a file, a folder, a task, or a data set on the Hugging Face hub.

    A file or folder of the working directory wins over a task of the same name, and a task over a
    data set of the hub, which is not asked for a name without a slash that one of them nearly has.

    Args:
      name: A file (its one split is called ``train``); a folder that `datasets` has saved, or one
        with ``train.csv`` and the like; one of :data:`TASK_NAMES`; or a name on the hub.
      subset: Name of one of several configurations of a data set on the hub.
      revision: Commit, tag or branch of a data set on the hub; the newest if None.

    Returns:
      At least one source, by the name of its split.

    Raises:
      UserError: There is no such thing, or it cannot be read.
    """
    path = as_path(name)
    if name and path.is_dir():
        return _open_folder(path)
    if name in TASK_NAMES and not path.exists():
        return open_task(name)
    if not name or _ending(path) in READERS or path.is_file() or name.startswith((".", "/", "~")):
        return {"train": open_file(path)}
    if "/" not in name and subset is None and revision is None:
        here = (file.name for file in sorted(Path().iterdir()) if not file.name.startswith("."))
        if near := nearest(name, [*TASK_NAMES, *here]):
            raise UserError(
                f"there is no file, folder or task {name}; did you mean {near}? A data set of the "
                "hub is called OWNER/NAME"
            )
    loaded = load_hub(
        name, subset, revision, otherwise=f"give a file or a folder; none is called {name} here"
    )
    return _open_loaded(loaded, name)


def open_task(name: str) -> dict[str, Source]:
    """Generate the table of a task, with the defaults of its recipe.

    Args:
      name: One of :data:`TASK_NAMES`.

    Returns:
      Train, dev and test; their columns are called text, label and confound. Those of the reviews
      are also called review, rating and brand.
    """
    if name != REVIEWS:
        return example_sources(load_examples(DataConfig(task=name)), name)
    sources = {}
    for split, reviews in generate_reviews().items():
        columns = dict(zip(Review._fields, zip(*reviews, strict=True), strict=True))
        alike = dict(zip(("text", "label", "confound"), columns.values(), strict=True))
        sources[split] = columns_source(list((columns | alike).items()), name)
    return sources


def example_sources(examples: TaskExamples, name: str) -> dict[str, Source]:
    """Return a task's train, dev and test as sources of columns text, label and confound.

    Args:
      examples: The examples, and the names of their labels and confounds.
      name: What messages call them.
    """
    classes = {"label": examples.label_names, "confound": examples.confound_names}
    sources = {}
    for split, rows in examples.splits._asdict().items():
        columns = {
            "text": [example.text for example in rows],
            "label": _names([example.label for example in rows], examples.label_names),
            "confound": _names([example.confound for example in rows], examples.confound_names),
        }
        sources[split] = columns_source(list(columns.items()), name, classes)
    return sources


def _names(numbers: Sequence[int], names: Sequence[str]) -> list[str]:
    return [names[number] if names else str(number) for number in numbers]


def open_file(path: Path) -> Source:
    """Return the source of a file, which is read according to the ending of its name.

    Raises:
      UserError: There is no such file, or the ending of its name is not known.
    """
    require_file(path)
    if _ending(path) not in READERS:
        raise UserError(f"{path}: {_unknown_ending()}")
    reader = READERS[_ending(path)]
    return Source(
        str(path),
        lambda selection: reader.read(path, selection),
        lambda quoted: reader.columns(path, quoted),
        lambda: reader.count(path),
        lambda: reader.classes(path),
    )


def _unknown_ending() -> str:
    return f"its name ends in none of {', '.join(READERS)}; rename or convert it"


def _ending(path: Path) -> str:
    return path.suffix.lower()


def _open_folder(path: Path) -> dict[str, Source]:
    """Return the tables of a folder, and of ``data`` in it, by the names of their files.

    The shards of a table count as one file. What may be meant as a split but cannot be read is
    there as well, and is refused when it is used.
    """
    if (path / "dataset_dict.json").exists() or (path / "state.json").exists():
        return _open_saved(path)
    found: dict[str, Source] = {}
    shards: dict[str, list[tuple[int, Path]]] = {}
    for file in [f for folder in (path, path / "data") for f in sorted(folder.glob("*"))]:
        name = str(file.relative_to(path))
        if file.name.startswith((".", "_", "~")) or name == "data":
            continue
        if shard := _SHARD.fullmatch(name):
            whole = f"{shard['name']}-*-of-{shard['count']}{file.suffix}"
            shards.setdefault(whole, []).append((int(shard["number"]), file))
        elif file.is_dir():
            if inner := [f.name for f in sorted(file.iterdir()) if _ending(f) in READERS]:
                found[f"{name}/"] = _unreadable(
                    file, f"is a folder with {listed(inner)}; name a file in it"
                )
        elif _ending(file) in READERS:
            found[name] = open_file(file)
        elif _ending(file) in _OTHER_TABLES and any(is_like(name, split) for split in SPLITS):
            found[name] = _unreadable(file, _unknown_ending())
    found |= {name: _together(path / name, files) for name, files in shards.items()}
    if all(split_called(name) is None for name in found):
        has = f"has {listed([*found])}, but" if found else "has"
        raise UserError(
            f"{path}: {has} no train.csv (or {', '.join(list(READERS)[1:])}); name a file, or a "
            "folder that datasets has saved"
        )
    return found


_OTHER_TABLES = (
    *(".json", ".ndjson", ".txt", ".tab", ".dat", ".xls", ".xlsx", ".ods", ".arrow", ".feather"),
    *(".orc", ".pkl", ".gz", ".bz2", ".xz", ".zst", ".zip"),
)
_SHARD = re.compile(
    r"(?P<name>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})(-[0-9a-f]+)?"
    rf"({'|'.join(map(re.escape, READERS))})",
    re.IGNORECASE,
)


def _together(whole: Path, files: Sequence[tuple[int, Path]]) -> Source:
    """Return the shards of one table, each with its number, as one source, in their order."""
    count, numbers = int(whole.stem[-5:]), [number for number, _ in files]
    have = set(numbers)
    for problem, wrong, remedy in (
        ("no", set(range(count)) - have, "add what is missing"),
        ("a", have - set(range(count)), "remove what is of another table"),
        ("more than one", {n for n in have if numbers.count(n) > 1}, "remove all but one"),
    ):
        if wrong:
            which = listed([*map(str, sorted(wrong))])
            return _unreadable(whole, f"has {problem} shard {which} of {count}; {remedy}")
    parts = [open_file(file) for _, file in sorted(files)]
    return Source(
        str(whole) if count > 1 else parts[0].name,
        lambda selection: chain.from_iterable(part.read(selection) for part in parts),
        lambda quoted: parts[0].columns(quoted),
        lambda: sum(part.count() for part in parts),
        lambda: joined_classes(part.classes() for part in parts),
    )


def joined_classes(parts: Iterable[Mapping[str, Sequence[str]]]) -> dict[str, list[str]]:
    """Return the classes of several sources: those of the first, then what others have besides."""
    joined: dict[str, dict[str, None]] = {}
    for part in parts:
        for column, names in part.items():
            joined.setdefault(column, {}).update(dict.fromkeys(names))
    return {column: list(names) for column, names in joined.items()}


def _unreadable(path: Path, problem: str) -> Source:
    """Return the source of something that is refused if it is read."""

    def refuse(how: Selection | bool | None = None) -> Any:
        raise UserError(f"{path}: {problem}")

    return Source(str(path), refuse, refuse, refuse)


def _open_saved(path: Path) -> dict[str, Source]:
    import datasets

    try:
        loaded = datasets.load_from_disk(str(path))
    except Exception as error:  # many libraries' errors come through
        raise UserError(
            f"{path}: is no data set that can be read ({first_line(error)}); save it again"
        ) from None
    splits: dict[str, Any] = {"train": loaded}
    if isinstance(loaded, dict):
        splits = {str(split): data for split, data in loaded.items()}
    return _open_loaded(splits, str(path))


def _open_loaded(loaded: Mapping[str, Any], name: str) -> dict[str, Source]:
    return {split: loaded_source(data, f"{name}, {split}") for split, data in loaded.items()}


def loaded_source(data: Any, name: str) -> Source:
    """Return the source of a ``datasets.Dataset``, called ``name`` in messages."""
    schema = data.features.arrow_schema

    def read(selection: Selection) -> Iterator["pyarrow.RecordBatch"]:
        require_columns(selection.names, data.column_names, name)
        table = data.select_columns(list(dict.fromkeys(selection.names))).with_format("arrow")
        with readable(f"{name}: is no data set"):
            for batch in table.iter(ROWS):
                (whole,) = batch.combine_chunks().to_batches()
                yield select(whole, selection, name, classes_of(schema))

    return Source(
        name,
        read,
        lambda quoted: data.column_names,
        lambda: len(data),
        lambda: classes_of(schema),
    )
