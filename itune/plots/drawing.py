"""What all figures share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from itune.errors import UserError

STYLES = (
    ("#c44e52", "o", "-"),
    ("#2f6db5", "s", "-"),
    ("#4c9a5b", "^", "--"),
    ("#8b6db3", "D", ":"),
)
"""Colour, marker and line of each run in turn: told apart without colour too."""


@contextmanager
def panels(
    paths: Sequence[Path], *, rows: int = 1, columns: int = 1, size: tuple[float, float], **share
) -> Iterator[list[Any]]:
    """Axes to draw in, in reading order; after the block the figure is written to every path.

    The same drawing gives the same bytes of SVG.

    Args:
      paths: PNG, SVG or PDF by their suffixes; folders are made if absent.
      rows: of panels.
      columns: of panels.
      size: of one panel, in inches.
      **share: ``sharex`` and ``sharey`` of ``pyplot.subplots``.

    Raises:
      UserError: A path cannot be written.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    whole = (columns * size[0], rows * size[1])
    figure, axes = pyplot.subplots(
        rows, columns, figsize=whole, dpi=150, layout="constrained", squeeze=False, **share
    )
    try:
        axes = list(axes.flat)
        for panel in axes:
            panel.spines[["top", "right"]].set_visible(False)
        yield axes
        with matplotlib.rc_context({"svg.hashsalt": "itune"}):
            for path in paths:
                _save(figure, Path(path))
    finally:
        pyplot.close(figure)


def _save(figure: Any, path: Path) -> None:
    undated = {"Date": None} if path.suffix == ".svg" else None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata=undated)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another folder") from None
