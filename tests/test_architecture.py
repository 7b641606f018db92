"""The library's shape: its public names, and which file may import which.

Everything is read from the source by :mod:`ast`, so that imports inside functions count as well.
After a deliberate change of public names, write their list anew::

    python -m tests.test_architecture > tests/public_names.txt
"""

import ast
import importlib
import json
import re
import subprocess
import sys
from configparser import ConfigParser
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PUBLIC_NAMES = ROOT / "tests" / "public_names.txt"

# A package or module of the first level may import those of its own line and of the lines below.
LAYERS = """
    __main__
    commands
    api estimator
    report
    plots
    discovery
    auditing
    predictor tuning
    results
    search
    training
    methods
    data metrics models
    tables
    corpora
    attribution
    influence
    optimizers
    config
    cli
    groups
    utils
    errors itune
"""
RANKS = {name: rank for rank, line in enumerate(LAYERS.split("\n")) for name in line.split()}


class Import(NamedTuple):
    """One name that a file imports: ``name`` of ``module``, or the module itself if it is empty."""

    module: str
    name: str


def module_of(path: Path) -> str:
    """Return the dotted name of a file: ``itune/data/__init__.py`` is ``itune.data``."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in sorted(ROOT.glob("itune/**/*.py"))}


def imports(source: str) -> set[Import]:
    """Return what a source text imports from itune, whether at its top or inside functions."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {Import(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: a relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(
                    Import(full, "") if full in MODULES else Import(str(node.module), alias.name)
                )
    return {item for item in found if item.module.split(".")[0] == "itune"}


@cache
def all_imports() -> dict[str, set[Import]]:
    """Return what each module of the package imports from it; every process collects this file."""
    return {module: imports(path.read_text("utf-8")) for module, path in MODULES.items()}


def first_level(module: str) -> str:
    """Return the package or module under ``itune`` that a module belongs to."""
    return ".".join(module.split(".")[1:2]) or "itune"


def all_of(module: str) -> list[str]:
    """Return the ``__all__`` of a module as it is written; empty if it has none."""
    for node in ast.parse(MODULES[module].read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return []


PUBLIC = {module: all_of(module) for module in MODULES if module.count(".") <= 1}


def public_names() -> list[str]:
    """Return the dotted public names of the package and of its first level, sorted."""
    return sorted(f"{module}.{name}" for module, names in PUBLIC.items() for name in names)


def documents() -> list[tuple[str, str]]:
    """Return the name and the Python source of each file that may use public names only."""
    paths = ["README.md", "docs/**/*.md", "docs/**/*.ipynb", "experiments/*.py", "benchmarks/*.py"]
    return [
        (str(path.relative_to(ROOT)), python_of(path))
        for pattern in paths
        for path in sorted(ROOT.glob(pattern))
    ]


def python_of(path: Path) -> str:
    """Return the Python code of a script, of a notebook's cells or of a Markdown file's blocks."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        return text
    if path.suffix == ".ipynb":
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        lines = [line for cell in cells for line in "".join(cell["source"]).splitlines()]
        return "\n".join(line for line in lines if not line.startswith(("%", "!")))
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    prompted = re.findall(r"^(?:>>>|\.\.\.)(?: (.*))?$", text, re.MULTILINE)
    return "\n".join([*prompted, *(block for block in blocks if ">>>" not in block)])


def is_public(item: Import) -> bool:
    """Return whether an import is of a public name, or of a module that has public names."""
    if item.name:
        return item.name in PUBLIC.get(item.module, [])
    parent, _, name = item.module.rpartition(".")
    return bool(PUBLIC.get(item.module)) or name in PUBLIC.get(parent, [])


def test_public_names_change_deliberately():
    held = PUBLIC_NAMES.read_text("utf-8").split()
    assert public_names() == held, "see the top of this file for how to write the list anew"


@pytest.mark.parametrize("module", [module for module, names in PUBLIC.items() if names])
def test_public_names_exist(module):
    package = importlib.import_module(module)
    assert len(set(PUBLIC[module])) == len(PUBLIC[module])
    assert [name for name in PUBLIC[module] if not hasattr(package, name)] == []


def test_every_package_has_a_layer():
    assert {first_level(module) for module in MODULES} == set(RANKS)


def test_no_import_runs_up():
    found = {
        f"{first_level(module)} -> {first_level(item.module)}"
        for module, items in all_imports().items()
        for item in items
        if RANKS[first_level(item.module)] < RANKS[first_level(module)]
    }
    assert sorted(found) == []


def test_no_files_import_one_another_in_a_circle():
    graph = {
        module: {item.module for item in items if item.module != module}
        for module, items in all_imports().items()
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_no_underscored_name_is_imported():
    sources = [(module, path.read_text("utf-8")) for module, path in MODULES.items()]
    found = {
        f"{name}: {item.module}.{item.name}".rstrip(".")
        for name, source in sources + documents()
        for item in imports(source)
        if re.search(r"(^|\.)_(?!_)", f"{item.module}.{item.name}") and item.module != name
    }
    assert sorted(found) == []


def test_programs_and_documents_import_public_names_only():
    found = set()
    for _, source in documents():
        attributes = re.findall(r"(?<![\w.])itune\.(\w+)\(", source)
        used = imports(source) | {Import("itune", name) for name in attributes}
        found |= {f"{item.module}.{item.name}".rstrip(".") for item in used if not is_public(item)}
    assert sorted(found) == []


def test_importing_itune_imports_nothing_slow():
    slow = {"jax", "numpy", "scipy", "transformers", "matplotlib", "datasets", "pyarrow", "flax"}
    program = f"import sys, itune; print(*sorted({slow} & set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == []


def test_files_that_are_not_python_are_in_the_wheel():
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    packaged: set[Path] = set()
    for package, patterns in setup["options.package_data"].items():
        folder = ROOT.joinpath(*package.split("."))
        packaged |= {path for pattern in patterns.split() for path in folder.glob(pattern)}
    files = {path for path in (ROOT / "itune").rglob("*") if path.is_file()}
    assert {path for path in files if path.suffix not in {".py", ".pyc"}} == packaged


if __name__ == "__main__":
    print(*public_names(), sep="\n")
