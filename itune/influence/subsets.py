"""Subsets of the parameters: the tensors, or slices of them, that an influence sees."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import jax
import jax.numpy as jnp

Path = tuple[str, ...]
Index = tuple[slice, ...]
Select = Callable[[Path], bool] | str | Sequence[str] | None
"""A subset of the parameters, wherever ``select`` is an argument. One of

- None: all of them;
- a predicate of a path, such as ``lambda path: path[0] == "classifier"``;
- a pattern for the path joined by ``/``, as in a shell (``*`` crosses ``/``): ``"classifier/*"``;
- several patterns; a later one wins, ``!`` takes away: ``["*", "!embeddings/*"]``. Where the first
  has a ``!``, all others are kept.

A pattern may end in slices of the tensor: ``"layer_0/query/kernel[:, 32:64]"`` is one head's query.
"""

_WHOLE: Index = ()
_PATTERN = re.compile(r"(!?)(.*?)(?:\[([\d:, -]*)\])?")


def selected(select: Select, paths: Iterable[Path]) -> dict[Path, Index]:
    """The paths that are kept, each with the slices that are kept of it (none: the whole).

    Raises:
        ValueError: a pattern that fits no path or that cannot be read, or nothing is kept.

    >>> selected("*/bias", [("a", "kernel"), ("a", "bias")])
    {('a', 'bias'): ()}
    """
    paths = list(paths)
    if select is None:
        return dict.fromkeys(paths, _WHOLE)
    if callable(select):
        kept = {path: _WHOLE for path in paths if select(path)}
    else:
        kept = _matched([select] if isinstance(select, str) else list(select), paths)
    if not kept:
        raise ValueError(f"select={select!r} keeps no parameter; there are {_some(paths)}")
    return kept


def restrict(select: Select, tree: Any) -> list[jax.Array]:
    """The leaves that are kept, cut to their slices."""
    leaves = by_path(tree)
    return [cut(leaves[path], index) for path, index in selected(select, leaves).items()]


def mask(select: Select, tree: Any) -> Any:
    """The tree with zeros in place of all that is not kept."""
    kept = selected(select, by_path(tree))

    def of_leaf(path, leaf):
        index = kept.get(_path(path))
        if index is None:
            return jnp.zeros_like(leaf)
        return jnp.zeros_like(leaf).at[index].set(leaf[index]) if index else leaf

    return jax.tree_util.tree_map_with_path(of_leaf, tree)


def selected_shapes(select: Select, params: Any) -> dict[Path, tuple[int, ...]]:
    """Shapes of what is kept by path, from arrays or shapes of arrays."""
    leaves = by_path(params)
    return {
        path: jax.eval_shape(lambda leaf, i=index: cut(leaf, i), leaves[path]).shape
        for path, index in selected(select, leaves).items()
    }


def by_path(tree: Any) -> dict[Path, Any]:
    """The leaves of a pytree by path."""
    return {_path(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def cut(leaf: jax.Array, index: Index) -> jax.Array:
    """``leaf[index]``; no slice is the whole."""
    return leaf[index] if index else leaf


def _path(path) -> Path:
    return tuple(jax.tree_util.keystr((key,), simple=True) for key in path)


def _matched(patterns: list[str], paths: list[Path]) -> Mapping[Path, Index]:
    kept = dict.fromkeys(paths, _WHOLE) if patterns and patterns[0].startswith("!") else {}
    for pattern in patterns:
        excludes, glob, slices = _PATTERN.fullmatch(pattern).groups()
        found = [path for path in paths if fnmatchcase("/".join(path), glob)]
        if not found:
            raise ValueError(f"select={pattern!r} fits no parameter; there are {_some(paths)}")
        if excludes and slices:
            raise ValueError(f"select={pattern!r}: slices can be kept, not taken away")
        for path in found:
            if excludes:
                kept.pop(path, None)
            else:
                kept[path] = _slices(slices, pattern)
    return {path: kept[path] for path in paths if path in kept}


def _slices(text: str | None, pattern: str) -> Index:
    if not text:
        return _WHOLE
    try:
        parts = [part.split(":") for part in text.split(",")]
        ends = [[int(end) if end.strip() else None for end in part] for part in parts]
        return tuple(slice(start, stop) for start, stop in ends)
    except ValueError:
        raise ValueError(f"select={pattern!r}: write slices as [0:32] or [:, 0:32]") from None


def _some(paths: list[Path]) -> str:
    names = ["/".join(path) for path in paths]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
