"""The API reference: a page for each public package, and links to what the pages document."""

import ast
import functools
import hashlib
import importlib
import inspect
import itertools
import pkgutil
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

import itune

PAGE = """# {name}

```{{eval-rst}}
.. automodule:: {name}

.. list-table::
   :widths: auto
   :class: names

{summary}

.. currentmodule:: {name}

{entries}
```
"""


@functools.cache
def public_modules() -> list[ModuleType]:
    """Return ``itune`` and each module right below it that lists its public names."""
    names = [found.name for found in pkgutil.iter_modules(itune.__path__)]
    modules = [importlib.import_module(f"itune.{n}") for n in names if not n.startswith("_")]
    return [itune, *(module for module in modules if getattr(module, "__all__", None))]


def sources_digest() -> str:
    """Return a digest of the library's source files."""
    files = sorted(Path(itune.__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _write_pages(app: Sphinx, config: Config) -> None:
    """Write docs/api/MODULE.md for every public module; leave what has not changed alone."""
    folder = Path(app.srcdir) / "api"
    folder.mkdir(exist_ok=True)
    pages = {folder / f"{module.__name__}.md": _page(module) for module in public_modules()}
    for stale in set(folder.glob("*.md")) - set(pages):
        stale.unlink()
    for path, text in pages.items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def _page(module: ModuleType) -> str:
    """Return the page of one module: what it is, a table of its names, and an entry for each."""
    summary, entries = [], []
    for name in sorted(module.__all__, key=lambda name: (name.lower(), name)):
        value = getattr(module, name)
        if isinstance(value, ModuleType):
            is_documented = value in public_modules()
            role = f":doc:`{value.__name__}`" if is_documented else f"``{value.__name__}``"
            text = inspect.getdoc(value)
        elif name.startswith("__"):
            continue
        elif isinstance(value, type) or inspect.isfunction(value):
            kind = "class" if isinstance(value, type) else "function"
            kind = "exception" if kind == "class" and issubclass(value, Exception) else kind
            role, text = f":py:obj:`~{module.__name__}.{name}`", inspect.getdoc(value)
            members = "" if kind == "function" else "\n   :members:"
            entries.append(f".. auto{kind}:: {name}{members}\n")
        else:
            role, text = f":py:obj:`~{module.__name__}.{name}`", _constant_docs().get(name, "")
            described = textwrap.indent(text, "   ")
            entries.append(f".. py:data:: {name}\n\n{described}\n")
        first = " ".join((text or "").split("\n\n")[0].split())
        summary.append(f"   * - {role}\n     - {first}")
    return PAGE.format(name=module.__name__, summary="\n".join(summary), entries="\n".join(entries))


@functools.cache
def _constant_docs() -> dict[str, str]:
    """Return the text below each constant of the library that has one, by the constant's name."""
    docs = {}
    for path in sorted(Path(itune.__file__).parent.rglob("*.py")):
        body = ast.parse(path.read_text()).body
        for statement, below in itertools.pairwise(body):
            targets = getattr(statement, "targets", [getattr(statement, "target", None)])
            if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                docs |= {t.id: below.value.value for t in targets if isinstance(t, ast.Name)}
    return docs


def _public_names() -> dict[int, str]:
    """Return where each public object is documented, by its identity."""
    return {
        id(getattr(module, name)): f"{module.__name__}.{name}"
        for module in reversed(public_modules())
        for name in module.__all__
    }


def _resolve(name: str) -> tuple[Any, str]:
    """Return the object that a dotted name stands for, and the name of its outermost part.

    Raises:
      AttributeError: There is no such name in the library.
    """
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        rest = parts[end:]
        outer = getattr(found, rest[0]) if rest else found
        for part in rest[1:]:
            fields = getattr(outer, "__dataclass_fields__", getattr(outer, "_fields", ()))
            if part not in fields:
                getattr(outer, part)
        return outer, ".".join(rest[1:])
    raise AttributeError(name)


def _link(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.Node | None:
    """Link a reference by any name to the page of its public name.

    What other libraries define, and what this one does not document, stays without a link. A
    name of this library that does not exist is left to Sphinx, which warns.
    """
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    candidates = [target]
    if module := node.get("py:module"):
        candidates = [f"{module}.{target}", target]
    for name in candidates:
        if not name.startswith("itune"):
            continue
        try:
            found, _ = _resolve(name)
        except AttributeError:
            continue
        public = _PUBLIC.get(id(found))
        objects = env.domains.python_domain.objects
        if public in objects:
            entry = objects[public]
            return make_refnode(
                app.builder, node["refdoc"], entry.docname, entry.node_id, [content], public
            )
        return content
    return None if target.startswith("itune.") else content


def _skip(app: Sphinx, what: str, name: str, found: Any, skip: bool, options: Any) -> bool | None:
    """Leave out the fields of named tuples, and what scikit-learn adds, which others describe."""
    is_field = type(found).__name__ == "_tuplegetter"
    return True if is_field or name.endswith("_request") else None


_PUBLIC = _public_names()


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the pages and the links."""
    app.connect("config-inited", _write_pages)
    app.connect("missing-reference", _link)
    app.connect("autodoc-skip-member", _skip)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
