"""Results as text a person reads in a terminal."""

from collections.abc import Sequence
from typing import Any


def results_table(results: Sequence[dict[str, Any]]) -> str:
    """A row for each run: accuracies, the worst group of test, final CID, and time.

    Args:
      results: contents of ``result.json`` files.

    >>> split = {"accuracy": 0.9, "worst_group": "y=0 c=1", "worst_group_accuracy": 0.5}
    >>> result = {"method": "finetuning", "seed": 1, "train": split, "dev": split, "test": split,
    ...           "cid": {"cid": 0.1}, "seconds": 90}
    >>> print(results_table([result]))
    method      seed  train  dev    test   worst group of test  CID     time
    finetuning  1     0.900  0.900  0.900  0.500 at y=0 c=1     +0.100  1.5 min
    >>> print(results_table([result | {"access": {"rate": 0.2}}]).splitlines()[1].split("  ")[0])
    finetuning, 20% access
    """
    rows = [("method", "seed", "train", "dev", "test", "worst group of test", "CID", "time")]
    for result in results:
        test = result["test"]
        rows.append(
            (
                f"{result['method'].replace('_', ' ')}{_access(result)}",
                str(result["seed"]),
                *(f"{result[split]['accuracy']:.3f}" for split in ("train", "dev", "test")),
                f"{test['worst_group_accuracy']:.3f} at {test['worst_group']}",
                f"{result['cid']['cid']:+.3f}",
                f"{result['seconds'] / 60:.1f} min",
            )
        )
    return align(rows)


def _access(result: dict[str, Any]) -> str:
    rate = result.get("access", {}).get("rate", 1)
    return "" if rate == 1 else f", {rate:.0%} access"


def align(rows: Sequence[Sequence[str]]) -> str:
    """Rows of text in columns, two blanks apart."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
