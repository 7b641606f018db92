"""Checks that what public docstrings say of arguments can be read alone.

``python tests/docstrings.py FOLDER …`` prints every entry of "Args:", "Attributes:", "Returns:",
"Raises:" or "Yields:" that leans on another one ("the same", "likewise", "as of …"), begins with
a bare "of" or "that", or is empty; with ``--form`` also those that begin in lower case or have no
full stop. It fails if there are any. Names with a leading underscore are not public.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SECTION = re.compile(r"(Args|Arguments|Attributes|Returns|Yields|Raises):$")
NAMED = {"Args", "Arguments", "Attributes", "Raises"}
NAME = re.compile(r"(\*{0,2}\w[\w.]*|``[^`]+``)(?: \([^)]*\))?:(?:\s+|$)")
LEANS = re.compile(
    r"(the same\b(?! \w)|the same (as|of|for)\b|likewise|as (of|for) |see above)", re.IGNORECASE
)
BARE = re.compile(r"(of|that) ", re.IGNORECASE)


class Problem(NamedTuple):
    """An entry that cannot be read alone.

    Attributes:
      line: Line of the docstring's definition.
      name: Dotted name of the class or function.
      entry: The entry, shortened.
      reason: What is wrong with it.
    """

    line: int
    name: str
    entry: str
    reason: str


def find_problems(source: str, *, form: bool = False) -> list[Problem]:
    """Return the entries of a module's public docstrings that cannot be read alone.

    Args:
      source: Source of the module.
      form: Whether entries must be sentences: a capital letter first, a full stop last.
    """
    return [
        Problem(node.lineno, name, entry[:60], reason)
        for name, node in _public(ast.parse(source))
        for entry, text in _entries(ast.get_docstring(node) or "")
        if (reason := _reason(text, form))
    ]


def _public(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    for node in getattr(tree, "body", ()):
        is_definition = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if is_definition and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _public(node, f"{node.name}.")


def _entries(docstring: str) -> Iterator[tuple[str, str]]:
    """Yield each entry of the sections, whole, and its text without the name."""
    section, entries = None, []
    for line in docstring.splitlines():
        indent = len(line) - len(line.lstrip())
        if line.strip() and not indent:
            yield from _named(section, entries)
            matched = SECTION.match(line.strip())
            section, entries = matched and matched[1], []
        elif section and line.strip():
            first = not entries or indent <= entries[0][0]
            is_new = first if section in NAMED else not entries
            if is_new:
                entries.append((indent, line.strip()))
            else:
                entries[-1] = (entries[-1][0], f"{entries[-1][1]} {line.strip()}")
    yield from _named(section, entries)


def _named(section: str | None, entries: list[tuple[int, str]]) -> Iterator[tuple[str, str]]:
    for _, entry in entries:
        matched = NAME.match(entry) if section in NAMED else None
        yield entry, entry[matched.end() :] if matched else entry


def _reason(text: str, form: bool) -> str | None:
    if not text.strip():
        return "says nothing"
    if LEANS.match(text):
        return "leans on another entry"
    if BARE.match(text):
        return "begins with a bare 'of' or 'that'"
    if form and text[0].islower():
        return "begins in lower case"
    if form and text.rstrip()[-1] not in ".:|=`":
        return "has no full stop"
    return None


def main(arguments: list[str]) -> int:
    """Print the problems of every file below some folders; return how the process should exit."""
    form = "--form" in arguments
    folders = [Path(argument) for argument in arguments if argument != "--form"]
    count = 0
    for path in sorted(file for folder in folders for file in folder.rglob("*.py")):
        for problem in find_problems(path.read_text(encoding="utf-8"), form=form):
            print(f"{path}:{problem.line}: {problem.name}: {problem.reason}: {problem.entry!r}")
            count += 1
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
