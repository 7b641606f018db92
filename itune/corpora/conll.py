"""Sentences from CoNLL column files, in a folder or on the Hugging Face hub."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from itune.errors import UserError, as_path
from itune.utils.hub import load_hub
from itune.utils.text_files import read_text

USUAL_NAMES = {
    "train": ("train.txt", "train.conll", "train", "eng.train", "eng.train.txt"),
    "valid": (
        *("valid.txt", "valid.conll", "valid", "validation.txt", "validation.conll"),
        *("testa", "testa.txt", "eng.testa", "eng.testa.txt", "dev.txt", "dev.conll", "dev"),
    ),
}
HUB_SPLITS = {"train": "train", "valid": "validation"}


def read_conll(path: str | Path) -> list[list[str]]:
    """Return the sentences of a column file, each a list of tokens.

    The first column is the token, columns are separated by white space, and a blank line ends a
    sentence. Document markers (``-DOCSTART-``) are dropped, whatever surrounds them.
    """
    sentences: list[list[str]] = [[]]
    for line in read_text(path).split("\n"):
        columns = line.split()
        if not columns or columns[0] == "-DOCSTART-":
            sentences.append([])
        else:
            sentences[-1].append(columns[0])
    sentences = [sentence for sentence in sentences if sentence]
    if not sentences:
        raise UserError(f"{path}, line 1: no sentence in the whole file; put one token on a line")
    return sentences


def find_conll(folder: str | Path) -> dict[str, Path]:
    """Return the files ``train`` and ``valid`` of a folder: the first of their usual names."""
    folder = as_path(folder)
    if not folder.is_dir():
        state = "is not a folder" if folder.exists() else "no such folder"
        raise UserError(f"{folder}: {state}; name the folder that holds the CoNLL files")
    found = {}
    for split, names in USUAL_NAMES.items():
        files = [folder / name for name in names if (folder / name).is_file()]
        if not files:
            raise UserError(f"{folder}: has no {split} file; put one there as {names[0]}, or as "
                            f"{', '.join(names[1:-1])} or {names[-1]}")  # fmt: skip
        found[split] = files[0]
    return found


def hub_conll(
    name: str = "lhoestq/conll2003", revision: str | None = None
) -> dict[str, list[list[str]]]:
    """Return CoNLL-2003 from the Hugging Face hub, keyed ``train`` and ``valid``.

    ``name`` may be another data set, or a local folder of its parquet or JSON files, with a column
    ``tokens`` and splits ``train`` and ``validation``.
    """
    loaded = load_hub(name, revision=revision, otherwise="read CoNLL files from a folder")
    return {split: _column(loaded, name, theirs) for split, theirs in HUB_SPLITS.items()}


def _column(loaded: Mapping[str, Any], name: str, split: str) -> list[list[str]]:
    if split not in loaded:
        raise UserError(f"{name}: has no split {split!r} (it has {', '.join(loaded)}); "
                        "name a data set with train and validation")  # fmt: skip
    if "tokens" not in loaded[split].column_names:
        columns = ", ".join(loaded[split].column_names)
        raise UserError(f"{name}, split {split}: has no column 'tokens' (it has {columns}); "
                        "name a data set of tokenised sentences")  # fmt: skip
    return [list(tokens) for tokens in loaded[split]["tokens"]]
