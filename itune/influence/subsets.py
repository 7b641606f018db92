"""Subsets of the parameters: the tensors, or slices of them, that an influence sees."""

import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from itune.influence.types import Params, Path, PyTree, Shapes

Index: TypeAlias = tuple[slice, ...]
"""Slices of a tensor, one for each of its leading axes; ``()`` is the whole tensor."""

Select: TypeAlias = Callable[[Path], bool] | str | Sequence[str] | None
"""A subset of the parameters, for every argument called ``select``. One of

- None: all parameters;
- a predicate of a path, such as ``lambda path: path[0] == "classifier"``;
- a pattern for the path joined by ``/``, as in a shell (``*`` crosses ``/``): ``"classifier/*"``;
- several patterns, of which a later one wins and ``!`` takes away: ``["*", "!embeddings/*"]``. If
  the first begins with ``!``, all parameters are selected before it applies.

A pattern may end in slices of the tensor: ``"layer_0/query/kernel[:, 32:64]"`` is one head's query.
"""

_WHOLE: Index = ()
_PATTERN = re.compile(r"(!?)(.*?)(?:\[([\d:, -]*)\])?")


def selected(select: Select, paths: Iterable[Path]) -> dict[Path, Index]:
    """Return the selected paths in order, each with its slices; ``()`` is the whole tensor.

    >>> selected("*/bias", [("a", "kernel"), ("a", "bias")])
    {('a', 'bias'): ()}
    """
    paths = list(paths)
    if select is None:
        return dict.fromkeys(paths, _WHOLE)
    if callable(select):
        indices = {path: _WHOLE for path in paths if select(path)}
    else:
        indices = _matches([select] if isinstance(select, str) else list(select), paths)
    if not indices:
        raise ValueError(
            f"select={select!r} selects no parameter; the parameters are {_some(paths)}"
        )
    return indices


def restrict(select: Select, tree: PyTree) -> list[jax.Array]:
    """Return the selected leaves of a tree, cut to the selected slices."""
    leaves = by_path(tree)
    return [cut(leaves[path], index) for path, index in selected(select, leaves).items()]


def mask(select: Select, tree: PyTree) -> PyTree:
    """Return the tree with zeros in place of all that is not selected."""
    indices = selected(select, by_path(tree))

    def of_leaf(path: tuple[Any, ...], leaf: jax.Array) -> jax.Array:
        index = indices.get(_as_path(path))
        if index is None:
            return jnp.zeros_like(leaf)
        return jnp.zeros_like(leaf).at[index].set(leaf[index]) if index else leaf

    return jax.tree_util.tree_map_with_path(of_leaf, tree)


def selected_shapes(select: Select, params: Params) -> Shapes:
    """Return the shapes of the selected slices by path."""
    leaves = by_path(params)
    return {
        path: jax.eval_shape(lambda leaf, i=index: cut(leaf, i), leaves[path]).shape
        for path, index in selected(select, leaves).items()
    }


def by_path(tree: PyTree) -> dict[Path, Any]:
    """Return the leaves of a pytree by path."""
    return {_as_path(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def cut(leaf: jax.Array, index: Index) -> jax.Array:
    """Return ``leaf[index]``, the leaf itself where ``index`` is empty."""
    return leaf[index] if index else leaf


def _as_path(keys: tuple[Any, ...]) -> Path:
    return tuple(jax.tree_util.keystr((key,), simple=True) for key in keys)


def _matches(patterns: list[str], paths: list[Path]) -> dict[Path, Index]:
    starts_with_all = bool(patterns) and patterns[0].startswith("!")
    indices = dict.fromkeys(paths, _WHOLE) if starts_with_all else {}
    for pattern in patterns:
        match = _PATTERN.fullmatch(pattern)
        if match is None:  # a line break
            raise ValueError(f"select={pattern!r} is not a pattern; write it on one line")
        excludes, glob, slices = match.groups()
        fitting = [path for path in paths if fnmatchcase("/".join(path), glob)]
        if not fitting:
            raise ValueError(
                f"select={pattern!r} fits no parameter; the parameters are {_some(paths)}"
            )
        if excludes and slices:
            raise ValueError(
                f"select={pattern!r} excludes slices; slices can only be included, so name the "
                "slices to keep"
            )
        for path in fitting:
            if excludes:
                indices.pop(path, None)
            else:
                indices[path] = _read_slices(slices, pattern)
    return {path: indices[path] for path in paths if path in indices}


def _read_slices(text: str | None, pattern: str) -> Index:
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
